"""Abbreviations and what they are said as, by what must stand around them."""

from __future__ import annotations

from typing import Final

from gpu_worker.text.normalization.numerals import word_set


def _pairs(listed: str) -> dict[str, str]:
    """What is written and what is said for it: 'mr: mister; mrs: missus'."""
    pairs = (entry.split(":") for entry in listed.split(";"))
    return {written.strip(): " ".join(said.split()) for written, said in pairs}


# Before a name.
TITLES: Final = _pairs(
    """
    mr: mister; mrs: missus; ms: miss; mx: mix; dr: doctor; drs: doctors; prof: professor; profs:
    professors; rev: reverend; hon: honorable; gen: general; col: colonel; maj: major; capt: captain; cpt:
    captain; cmdr: commander; cdr: commander; adm: admiral; lt: lieutenant; sgt: sergeant; cpl: corporal;
    pvt: private; brig: brigadier; gov: governor; sen: senator; sens: senators; rep: representative; reps:
    representatives; pres: president; amb: ambassador; atty: attorney; det: detective; insp: inspector;
    supt: superintendent; msgr: monsignor; fr: father; br: brother; rt: right; lk: lake; sr: sister;
    messrs: messrs; mme: madame; mlle: mademoiselle; mt: mount; mts: mounts; ft: fort; pt: point; st:
    saint; ste: sainte; sec: secretary
    """
)
# Said as titles without their full stop, too.
BARE_TITLES: Final = word_set(
    """
    mr mrs ms mx dr prof rev sgt capt lt cpl messrs mt gen col maj sen gov
    """
)

STREETS: Final = _pairs(
    """
    st: Street; dr: Drive; ave: Avenue; av: Avenue; blvd: Boulevard; rd: Road; ln: Lane; ct: Court; hwy:
    Highway; pkwy: Parkway; pl: Place; sq: Square; ter: Terrace; cir: Circle; expy: Expressway; fwy:
    Freeway; tpke: Turnpike; rte: Route; aly: Alley; cres: Crescent; trl: Trail; xing: Crossing; mt:
    Mount; ft: Fort
    """
)
# Unmistakable after a capitalised word, with a full stop or without.
SURE_STREETS: Final = word_set("ave blvd rd hwy pkwy expy fwy tpke")
UNITS: Final = _pairs(
    """
    apt: apartment; ste: suite; fl: floor; rm: room; bldg: building; hwy: highway; rte: route; rt: route;
    ext: extension; tel: telephone; box: box
    """
)
DIRECTIONS: Final = {
    "N": "North",
    "S": "South",
    "E": "East",
    "W": "West",
    "NE": "Northeast",
    "NW": "Northwest",
    "SE": "Southeast",
    "SW": "Southwest",
}

# Before a number, in figures or roman.
BEFORE_NUMBERS: Final = _pairs(
    """
    fig: figure; figs: figures; vol: volume; vols: volumes; ch: chapter; chs: chapters; chap: chapter;
    sec: section; secs: sections; sect: section; art: article; pp: pages; pg: page; pgs: pages; p: page;
    par: paragraph; para: paragraph; eq: equation; eqs: equations; ex: example; pt: part; ver: version;
    app: appendix; tab: table; col: column; op: opus; ps: psalm; ed: edition; ep: episode; lvl: level; ext:
    extension; bk: book; rev: revision; ste: suite
    """
)

# Anywhere.
ANYWHERE: Final = _pairs(
    """
    aka: also known as; etc: et cetera; vs: versus; approx: approximately; appt: appointment; dept:
    department; depts: departments; est: estimated; govt: government; gov't: government; dep't:
    department; misc: miscellaneous; vol: volume; vols: volumes; pp: pages; ed: editor; eds: editors;
    inc: incorporated; corp: corporation; ltd: limited; co: company; cos: companies; bros: brothers; jr:
    junior; sr: senior; esq: esquire; max: maximum; min: minimum; avg: average; temp: temperature; assn:
    association; assoc: association; univ: university; inst: institute; intl: international; int'l:
    international; natl: national; nat'l: national; mfg: manufacturing; mgr: manager; mgmt: management;
    asst: assistant; attn: attention; bldg: building; bldgs: buildings; apt: apartment; apts: apartments;
    cont: continued; cont'd: continued; cf: compare; ca: circa; viz: namely; al: al; incl: including;
    excl: excluding; esp: especially; resp: respectively; prof: professor; ref: reference; refs:
    references; tel: telephone; ext: extension; hwy: highway; pkg: package; qty: quantity; req: required;
    acct: account; abbr: abbreviation; anon: anonymous; abbrev: abbreviation; biol: biology; chem:
    chemistry; dir: director; dist: district; div: division; eng: engineering; env: environment; equip:
    equipment; exec: executive; hosp: hospital; hq: headquarters; ibid: ibid; lab: lab; lib: library;
    mag: magazine; mktg: marketing; orig: original; mtg: meeting; mtgs: meetings; pts: points; pop:
    population; prev: previous; pub: publication; publ: published; rec'd: received; recd: received; rep:
    representative; sched: schedule; sq: square; std: standard; subj: subject; tech: technology; trans:
    translated; treas: treasurer; yr: year; yrs: years; hr: hour; hrs: hours; wk: week; wks: weeks; mo:
    month; mos: months; tbsp: tablespoon; tsp: teaspoon; blvd: boulevard; ave: avenue;
    amt: amount; doz: dozen; pct: percent; pcs: pieces; pkgs: packages
    """
)
# Words of their own: abbreviations only where the sentence goes on after the full stop.
ALSO_WORDS: Final = word_set(
    """
    co inc max min temp al ref pop lab pub rep sq std tech trans esp mag dist div eng dir orig cos mo hr
    corp inst cont ed eds est pp lib env exec cf ca fig figs resp
    """
)
# Said in full without a full stop, too.
BARE: Final = word_set(
    """
    aka vs etc approx dept depts govt gov't dep't misc inc corp ltd bros jr sr esq mgmt intl int'l natl
    nat'l cont'd mgr rec'd asst attn appt assn assoc acct qty pkg univ
    """
)
# Of these, those that are abbreviations only with a capital.
CAPITALISED: Final = word_set("inc corp ltd bros jr sr esq co cos")

DOTTED: Final = _pairs(
    """
    e.g: for example; i.e: that is; a.k.a: also known as; et al: et al; n.b: nota bene; q.v: which see;
    ph.d: P H D; ph.ds: P H Ds; d.phil: D Phil; m.phil: M Phil; b.sc: B S C; m.sc: M S C; ed.d: E D D;
    psy.d: Psy D; pharm.d: Pharm D; ll.b: L L B; ll.m: L L M; ll.d: L L D; litt.d: Litt D; p.a: per
    annum; lt.col: lieutenant colonel
    """
)
SLASHED: Final = _pairs(
    """
    either/or: either or; he/she: he or she; she/he: she or he; his/her: his or her; him/her: him or her;
    his/hers: his or hers; yes/no: yes or no;
    y/o: year old; y/y: year over year; q/q: quarter over quarter; km/h: kilometers per hour; w/: with;
    w/o: without; b/c: because; c/o: care of; n/a: not applicable; and/or: and or; a/c: A C; b/w:
    between; w/in: within; w/out: without; s/he: she or he
    """
)

MONTHS: Final = _pairs(
    """
    jan: January; feb: February; mar: March; apr: April; jun: June; jul: July; aug: August; sep:
    September; sept: September; oct: October; nov: November; dec: December
    """
)
WEEKDAYS: Final = _pairs(
    """
    mon: Monday; tue: Tuesday; tues: Tuesday; wed: Wednesday; weds: Wednesday; thu: Thursday; thur:
    Thursday; thurs: Thursday; fri: Friday; sat: Saturday; sun: Sunday
    """
)

STATES: Final = _pairs(
    """
    AL: Alabama; AK: Alaska; AZ: Arizona; AR: Arkansas; CA: California; CO: Colorado; CT: Connecticut; DE:
    Delaware; DC: D C; FL: Florida; GA: Georgia; HI: Hawaii; ID: Idaho; IL: Illinois; IN: Indiana; IA:
    Iowa; KS: Kansas; KY: Kentucky; LA: Louisiana; ME: Maine; MD: Maryland; MA: Massachusetts; MI:
    Michigan; MN: Minnesota; MS: Mississippi; MO: Missouri; MT: Montana; NE: Nebraska; NV: Nevada; NH: New
    Hampshire; NJ: New Jersey; NM: New Mexico; NY: New York; NC: North Carolina; ND: North Dakota; OH:
    Ohio; OK: Oklahoma; OR: Oregon; PA: Pennsylvania; RI: Rhode Island; SC: South Carolina; SD: South
    Dakota; TN: Tennessee; TX: Texas; UT: Utah; VT: Vermont; VA: Virginia; WA: Washington; WV: West
    Virginia; WI: Wisconsin; WY: Wyoming; PR: Puerto Rico
    """
)
# Also degrees, interjections or words: states only in an address or after a preposition.
UNSURE_STATES: Final = word_set("OK IN OR ME HI OH MD MA PA DE ID AL MS CO PR")
# "Calif." and the like, after a city.
STATE_WORDS: Final = _pairs(
    """
    ala: Alabama; ariz: Arizona; ark: Arkansas; calif: California; colo: Colorado; conn: Connecticut; del:
    Delaware; fla: Florida; ill: Illinois; ind: Indiana; kan: Kansas; ky: Kentucky; la: Louisiana; mass:
    Massachusetts; md: Maryland; mich: Michigan; minn: Minnesota; miss: Mississippi; mo: Missouri; mont:
    Montana; neb: Nebraska; nev: Nevada; okla: Oklahoma; ont: Ontario; ore: Oregon; pa: Pennsylvania;
    penn: Pennsylvania; tenn: Tennessee; tex: Texas; va: Virginia; vt: Vermont; wash: Washington; wis:
    Wisconsin; wyo: Wyoming
    """
)
