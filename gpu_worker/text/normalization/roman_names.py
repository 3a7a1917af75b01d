"""Words that tell how a roman numeral after them is said."""

from __future__ import annotations

from typing import Final

from gpu_worker.text.normalization.numerals import word_set

# Rulers and popes: 'Henry VIII' is 'Henry the eighth'.
REGNAL_NAMES: Final = word_set(
    """
    abdullah adrian afonso akbar albert alexander alexandra alexei alexios alfonso amadeus amenemhat
    amenhotep andrew andronikos anne antiochus artaxerxes august augustus baldwin basil baudouin beatrix
    benedict bela bogdan boniface boris cambyses carl carlos carol carlo casimir catherine celestine
    charles childeric chlothar christian christopher clement cleopatra clovis conrad constans constantine
    constantius cosimo cyrus darius david diocletian dmitri edmund edward eleanor elizabeth emmanuel eric
    erik ernest eugene faisal farouk felipe feodor ferdinand fernando francis francisco franz frederic
    frederick frederik friedrich fyodor george giovanni gregory guillaume gustaf gustav gustavus haakon
    hadrian hamad harald harold hassan heinrich henri henry hirohito honorius hussein innocent isabel
    isabella ivan james jan jean joan joao john jose joseph julian julius justin justinian karl kenneth
    ladislaus leo leon leopold lothair louis luis ludwig magnus malcolm manuel margaret margrethe maria
    martin mary matilda matthias maximilian mehmed michael mircea mithridates mohammad mohammed moritz
    muhammad murad napoleon nebuchadnezzar nerva nicholas nikolai norodom olaf olav oscar otto paul pedro
    pepin peter phillip philip philippe pius ptolemy pyotr rainier rama rameses ramesses ramses richard
    robert romanos rudolf rudolph rupert sancho sargon selim seti shalmaneser shapur sigismund simeon
    sixtus sophia stanislaw stephen suleiman sultan sylvester tewodros theodore theodosius theodoric
    thutmose tiberius tutankhamun umberto urban valdemar valentinian victor victoria vittorio vladimir
    vladislav wenceslaus wilhelm willem william xerxes yaroslav yohannes zygmunt
    """
)
# A title before any name makes a ruler of it, too.
RULER_TITLES: Final = word_set(
    """
    king queen pope emperor empress tsar czar tsarina kaiser sultan shah pharaoh prince princess duke
    duchess earl count baron patriarch caliph khan archduke antipope lord sir saint grand-duke elector
    bishop margrave landgrave
    """
)
# Given names that sons share with their fathers: 'Thomas Smith III' is 'the third'.
GIVEN_NAMES: Final = word_set(
    """
    thomas walter samuel benjamin daniel joseph frank harry fred arthur howard raymond jack lawrence larry
    gerald roger douglas dennis jerry patrick marcus anthony tony ronald donald kenneth steven stephen
    brian kevin mark eric jeffrey timothy gary matthew mike bob bill jim joe tom dan sam ben charlie chuck
    davis luther loudon trey oliver nathaniel elijah isaac adam aaron austin bradley brandon bruce calvin
    carter clarence clayton clifford curtis dale darryl earl edgar edwin elliott ernest floyd franklin
    glenn gordon grant harrison harvey herbert jackson jason jay jonathan jordan justin keith kyle leonard
    lloyd lewis marshall marvin maurice melvin nathan neil nelson norman percy philip ralph randolph randy
    ray reginald ross roy russell scott sidney stanley ted terry theodore travis tyler vernon victor
    vincent warren wayne wesley william winston thurston robert john james
    """
)
# A number follows: 'Chapter IV' is 'chapter four'. Singular and plural, full and abbreviated.
NUMBERED: Final = word_set(
    """
    chapter chapters ch act acts scene scenes volume volumes vol vols part parts pt phase phases book
    books section sections sec article articles art appendix type types class classes grade stage stages
    level levels war bowl olympiad title titles canto division category episode episodes season round tier
    mark mk schedule amendment figure figures fig table tables plate exhibit step unit lesson module paper
    factor diabetes nerve nerves quantum theorem proposition lemma corollary axiom case item note question
    problem annex protocol rule clause paragraph verse psalm opus movement sonata symphony concerto sonnet
    series version gen sector region stratum layer corps army legion fleet wave lecture essay document
    page pages edition degree number no. trauma trisomy photosystem complex polymerase collagen interferon
    angiotensin bipolar
    """
)
# What comes before V or X alone where it is a number, beside the words above.
SEQUELS: Final = word_set(
    """
    saturn os iphone rocky fantasy auto mach scrolls evil apollo titan
    """
)
# What follows an ordinal: 'XIX century', 'XXIV Olympic Games', 'XX Congress'.
COUNTED: Final = word_set(
    """
    century centuries cent olympiad olympic olympics winter summer congress dynasty legion corps army
    arrondissement paralympic games plenum convocation anniversary edition international session world
    festival conference symposium
    """
)
# After these 'I' is the pronoun, whatever stands before it.
PRONOUN_VERBS: Final = word_set(
    """
    am have want think thought like love loved know knew need needed mean meant believe guess hope see saw
    feel felt hate read wrote played said say ask asked told tell remember do did don't didn't don’t
    didn’t never always really also just still find found get got go went make made take took use used
    learned bought watched visited met lived work worked live prefer enjoy enjoyed wish wonder suppose
    recommend would'd could should might shall may must
    """
)
