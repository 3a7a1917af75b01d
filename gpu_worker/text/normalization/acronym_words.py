"""Words in capitals that are known: acronyms said as words, acronyms spelled, and words meant as words."""

from __future__ import annotations

from typing import Final

from gpu_worker.text.normalization.numerals import word_set

# Said as words.
SAID: Final = word_set(
    """
    NASA NATO UNESCO UNICEF OPEC COVID AIDS NAFTA ASEAN FIFA UEFA GIF JPEG RAM ROM LASER RADAR SONAR SCUBA
    SWAT TASER LAN WAN SIM PIN CAPTCHA ASCII BIOS DOS JSON YAML REST SOAP AJAX CRUD UNIX LINUX POSIX BASIC
    COBOL FORTRAN LISP SAAS NAND NOR CMOS HIPAA OSHA FEMA POTUS FLOTUS SCOTUS NASDAQ NYMEX ERISA FICA
    MENSA MASH NOAA DARPA LIDAR MOMA SARS MERS EBOLA ZIP GUI WYSIWYG MIDI VESA NASCAR OXFAM INTERPOL
    EUROPOL BENELUX BAFTA FOMO YOLO SIDS TESOL TOEFL GMAT LSAT MCAT GATT CERN ESA AWACS HUMVEE NIMBY DINK
    JAVA CUDA TOML WASM CRISPR BERT GAN LORA LLAMA BRIC BRICS PETA ANOVA CAD CAM VIN COBRA RICO FAFSA LEED
    MODEM BLOB UNCTAD ICANN DRAM SRAM EEPROM SATA SCSI RAID WIMAX NABISCO LEGO IKEA HERTZ VISA DELL SONY
    NOKIA ASUS ACER LENOVO INTEL NVIDIA OREO ADIDAS PUMA MAGA ANTIFA NORAD SEAL SEALS DEFCON MIRV SALT
    START AMBER DREAM PATRIOT CARES ISIS HAMAS FARC PEMEX EURATOM GNU WIPO OK OKAY SIRI ELISA QWERTY PAC
    """
)

# Spelled, though they could be said, or though a word in capitals looks the same.
SPELLED: Final = word_set(
    """
    BYOB BYOD YTD YOY EOY IMHO IMO AAA AARP ABA ABC ABS ABV ACL ACLU ADA ADHD AED AFAIK AFC AFL AI AKA ALS
    AMA AMC AMD AOL APA API APR APU ARPU ASA ASAP ASL ASMR ATM ATP AUC AV AWOL AWS BA BBC BBQ BCE BLM BMI
    BMW BSE BTU BYU CA CBA CBO CBS CC CD CDC CE CEO CFO CGI CIA CIO CMO CMS CNN COD COO COPD CPA CPI CPR
    CPU CRM CSI CSS CST CTO CV DA DBA DC DEA DHL DIY DJ DMV DNA DNS DOA DOB DOD DOE DOJ DOT DUI DVD EA
    EBITDA EDT EEG EIN EKG ELO EMEA EMI EMT EP EPA EPS ER ERP ESG ESL ESP ESPN EST ETA ETF EU EV FAA FAQ
    FBI FCC FDA FDIC FDR FEC FIA FTC FTP FYI GDP GDPR GE GED GI GM GMO GMT GNP GOP GPA GPS GPT GPU GRE HBO
    HDMI HIV HIIT HMO HOA HP HPV HQ HR HTML HTTP HTTPS HUD HVAC IBM ICBM ICU ID IDE IDF IE IEEE IMDB IMF
    INS IO IOC IOU IP IPA IPO IQ IRA IRC IRS ISBN ISO ISP ISS IT IUPAC IV IVF JFK JP KFC KGB LA LAPD LCD
    LED LGBT LGBTQ LLC LLM LLP LOL LP LSD LSE LSU MA MBA MC MD MEP MIA MIT MLA MLB MLS MMA MMO MO MP MPA
    MPH MRI MS MSNBC MTV MVP NAACP NBA NBC NCAA NDA NFC NFL NFT NGO NHL NHS NIH NIMH NLP NPC NPR NRA NSA
    NSFW NYC NYPD NYSE NYU OCD OECD OED OEM OMG OS OTC PA PBS PC PCR PDA PDF PE PGA PHP PM PMS POS POV POW
    PR PS PSA PTA PTO PTSD PVC QA QR RIP RN ROI ROTC RPG RPM RSVP RV SAP SAT SDK SEC SEO SMS SOS SPF SQL
    SSD SSH SSL SSN STD SUV TBA TBD TCP TLC TLS TNT TSA TTS TV UAE UAV UC UCLA UFC UFO UI UK UN UPC UPS
    URI URL US USA USAF USB USC USDA USMC USPS USSR UTC UTF UTI UX VA VAT VC VIP VP VPN VR WASD WMD WTF
    WTO WWE XML YMCA AM FM PT ET UCL UNC USO USS EMS EOD EOM IAEA IATA ICAO ILO ITU WIPO IEA EBU ECB ECJ
    EEA EFTA ETH BTC AFK BAE LMAO IRL TIL TMI DM OP PSI AOC RBG OJ LBJ MLK EEOC OAS OEC OSI ISIL USPTO UAW
    """
)

# Meant as words where they stand in capitals: function words, and what people shout.
WORDS: Final = word_set(
    """
    a i ad add age ago aid aim air all am an and any arm art as ask at ate away awful baby back bad bag
    ball band bank bar be bed been beer best bet big bill bird bit blue boat body book born both box boy
    buy by bye cake call calm came can car card care case cash cat city club cold come cook cool cost cry
    cup cut dad dare dark data date day dead deal dear did die do does dog done dont door down draw drop
    dry due dumb each ear easy eat egg else end even ever every evil exit eye face fact fail fair fall fan
    far fast fat fear feel feet few file fill film find fine fire fit five fix flag flat flow fly food
    fool for form four free from full fun game gave get gift girl give glad go god goes gold gone good got
    great gun guy had hair half hall ham hand hang hard has hat hate have he head hear heat hell help her
    here hero hey hi high hill him his hit hold hole home hope hot hour how hug huge huh i'm ice idea if
    ill in into is it item its job join joke jump june july just keep kept key kid kill kind king kiss
    knew know lady land last late law lay lazy lead left leg less let lie life lift like line list live
    load lock long look lord lose loss lost lot loud love low luck mad made mail main make male man many
    map mark may me meal mean meat meet men menu met mice mine miss mom moon more most move movie much mum
    must my myself name near neck need neat never new news next nice night nine no none nope not note now
    nut odd of off oh oil old on once one only open or our out over own page paid pain pair park part pass
    past pay peak pen per pet pick pie play plot plus poor pop post pull push put quit race rain ran rare
    rate read real red rest rich ride right ring road rock role room root rose row rule run sad safe said
    sale same save saw say school sea seat see seen sell send sent set sex she ship shoe shop short shot
    show shut sick side sign sing sir sit site six size skin sky slow small snow so soft sold some son
    song soon sorry sort soul star stay step still stop such sun sure take talk tall tank tap task tax tea
    team tell ten test text than that the them then there they thin thing think this time tip to today toe
    told tom too took top town toy tree trip true try turn two type ugh ugly um under unit up upon us use
    used van very via vote wait wake walk wall want war warm was wash watch water wave way we weak wear
    web week well went were wet what when where who why wide wife wild will win wind wine wise wish with
    wolf won wood word wore work world worst wow wrong yard yeah year yell yep yes yet you young your
    yours zero zone zoo yay boo aha hmm haha alarm alert begin caution closed danger error extra final
    first hello important info notice please press private public ready reset start tips urgent warning
    welcome act acts apps app cats dogs days eyes guys kids cars ways mr mrs dr ms vs etc inc ltd beg bid
    bug bus cop cow dip dot dug fed fee fig fog fur gap gas gum gut gym hay hen hip hop hub ink inn jam
    jar jaw jet jog joy kit lab lap lid lip log mat mix mob mud mug nap net nod nor oak oar opt pan paw
    pea peg pig pin pit pod pot pub rag rat raw rib rid rip rob rod rot rub rug rum sin sip ski sob sow
    soy spa spy sum tab tag tan tar tie tin ton tow tub vet vow wax wig yen zip
    """
)
# Spelled, but words between other words in capitals: 'JOIN US NOW'.
EITHER: Final = word_set(
    """
    US IT AM OR IN ME ADD AID ICE ACT WHO DOT RIP SAP POW POP POS LED INS PA MA OS
    """
)

# Letters, figures and small letters mixed: said as they stand here.
MIXED: Final = {
    "YoY": "year over year",
    "QoQ": "quarter over quarter",
    "PhD": "P H D",
    "PhDs": "P H Ds",
    "BSc": "B S C",
    "MSc": "M S C",
    "BEng": "B Eng",
    "MPhil": "M Phil",
    "LLMs": "L L Ms",
    "iOS": "i O S",
    "macOS": "mac O S",
    "iPadOS": "iPad O S",
    "watchOS": "watch O S",
    "tvOS": "t v O S",
    "MySQL": "my S Q L",
    "NoSQL": "no S Q L",
    "PostgreSQL": "Postgres Q L",
    "SQLite": "S Q Lite",
    "GraphQL": "graph Q L",
    "OpenAI": "open A I",
    "ChatGPT": "chat G P T",
    "OpenGL": "open G L",
    "IPv4": "I P v four",
    "IPv6": "I P v six",
    "DoD": "D O D",
    "DoJ": "D O J",
    "DoE": "D O E",
    "IoT": "I O T",
    "QoS": "Q O S",
    "VoIP": "voice over I P",
    "eSIM": "e SIM",
    "mRNA": "m R N A",
    "tRNA": "t R N A",
    "rRNA": "r R N A",
    "siRNA": "s i R N A",
    "WWI": "World War one",
    "WWII": "World War two",
    "WW1": "World War one",
    "WW2": "World War two",
    "COVID-19": "COVID nineteen",
    "Covid-19": "Covid nineteen",
    "covid-19": "covid nineteen",
    "SARS-CoV-2": "SARS co V two",
    "HTML5": "H T M L five",
    "CSS3": "C S S three",
    "Web3": "web three",
    "i18n": "i eighteen n",
    "k8s": "k eights",
    "a11y": "a eleven y",
    "w3c": "w three c",
    "W3C": "W three C",
    "Y2K": "Y two K",
    "XMas": "Christmas",
    "Xmas": "Christmas",
    "pH": "p H",
    "CoV": "co V",
    "H.264": "H two sixty-four",
    "H.265": "H two sixty-five",
    "TL;DR": "T L D R",
    "AKA": "also known as",
}
