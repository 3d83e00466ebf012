const words = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/).filter((word) => word !== ""));

/**
 * Ordinary English words that are also first names, surnames or names of companies, in lower case. Written from general knowledge.
 * One of them alone is taken for a name only where its capital letter says so.
 */
export const commonWords = words(`
  able acre action age air alert alpha amber amen angel any apple april art ash august autumn baby bank banks bar barber bay bear
  bee bell berry best bet beta beth big bill bird bishop black blank blast block bloom blue bond book booth boy brand branch bravo
  breeze bright brook brother brown buck bud bug bull burn bush butcher butler buy call can candy cannon carbon care carol carpenter
  carter case cash castle chance chancellor charity chase cherry chip christian church city clay clear click clever cliff cloud club
  coast cole college comfort company compass contact cook cool corn count court cox craft crane crew crisp cross crow crown crystal
  daisy dale dash dawn day days dean deal dear delta diamond digital dick dish dollar dolphin don door double dove down drew drive
  duke dusty early earth east easy echo edge ember english ernest essence even ever every fair faith falcon fall fay field fields
  finch fire first fish fisher flag fleet flint flora flower focus ford forest forge fort foster fox francs frank free freeman
  fresh friday friend frost fuller gale garden gay gem general gene gentle ginger glad glass global gold golden good goodman grace
  grand grant gray great green grey grove guide guy hand happy harbor harbour hard hardy harmony harper harvest haven hazel head
  heart heath heather heaven help henna hill hills holiday holly home honest honor honour hood hook hope hops house hunt hunter
  hurt hazard ice idea indigo iris iron island ivory ivy jack jade jasmine jay jersey jet jewel job jolly joy juniper june just
  justice keen key kid kind king kit knight lake lance land lane large law lawyer lee left legacy leo level liberty light lily
  linen link little lock long lord lot lotus love low luck lucky lumen mace major man many maple march marine mark market marsh
  marshal mason master may meadow melody mercy mercury merit merry mild mile miles mill miller mint miss mint mission moon moor
  moore more morning morrow moss mount must nation never new nice nick night noble noon norm north nova oak oasis ocean old olive
  one onyx open opal orange orchard order origin owen own page paint palmer pansy paris park parker pass patience pat path patience
  pay peace peak pearl penny pepper perry peter pick piece pierce pine pink pioneer pitch place plain plan point pole pool poppy
  port post potter power praise precious premier price pride prime prince prior prism promise prudence pure quest quick quill rain
  ranger rate ray read real red reed reese regal rich richer ridge right ring rise river road rob robin rock rocky rod roman rook
  room root rose rosemary rough row rowan royal ruby rudder rusty sage sail sale sales sandy saturn savannah scarlet scout sea
  season security sell senior sharp shell shepherd shield shine ship shore short silver sir sister sky slate slick small smart
  smith snow solid sonny south spark spring square stack star stark state steel sterling stone storm story stream street strong
  success sue summer summit sun sunday sunny sunshine support sure swan sweet swift target tailor tanner team temple terry the
  thank thanks thorn thought tiger time timber tom topaz torch total tower town trade trail tree trinity true trust tuck tucker
  turner union unity urban vale valley value van vera victor victory view viola violet violin virgin vision vista wade wake walker
  wall walls ward warm waters wave way weaver web weber welcome well wells west wheat wheeler whisper white will willow win wind
  winner winter wise wish wolf wood woods word work world worth wren wright yard yes york young zone
  account address admin agent anonymous applicant author billing buyer candidate client customer department director employee
  example finance guest human info manager member none nobody null office operator other owner patient person private public
  recipient reception resources sender service services someone staff student system test undefined unknown user vendor various
`);

/** Words with a capital letter that are no part of a person's name, in lower case: a run of names ends at them. */
export const neverNames = words(`
  a about above according account accounts acct actually after again agreement air airport all also although always am an and any
  april are area as ask asked association at attached august avenue b2b back bank because been before below best between board both
  box branch brand budget building business but by call called campaign can care case category cc center central centre ceo cfo
  chief city client close club code college comment comments committee company conference confirmation consulting contact contract
  corp corporation could council country court cto customer customers data date day days dear december delivery department deposit
  desk detail details did director discount district division do does done draft due during each east education either email
  employee engineering enterprise error every everyone executive express fax february federal final finance first for foundation
  free friday from full fw fwd fyi general get give global go good got government group guys had hall has have he head hello help
  her here hey hi high his hospital hotel house how hq hr however i id if ii iii in inc information insurance international internet
  into invoice is issue it item its january july june just kind kindly know last lead legal let library limited line list llc local
  location logistics look ltd made mail main make management manager many march market marketing may me meeting member message
  method ministry monday month more most much museum must my name national need network new next no north not note notes november
  now number october of off office officer offer ok on once one online only open operations opportunity or order orders our out
  over page paid part partner partners party password pay payment payroll people per phone plan platform please plus po policy
  portal post pre premium president price priority private pro process product products professor profile program project proposal
  public purchase q1 q2 q3 q4 quality question quick quote rd re receipt received reference refund regards region regular
  reminder renewal report request resources response return review road room royal said sale sales saturday school science secretary
  section security see send senior sent september server service services several shall she ship shipping should since sir site so
  some software solutions south staff standard start state station status store street subject subscription such summary sunday
  supplier support system systems task tax team teams tech technical technology tel terms test than thank thanks that the their
  them then there these they this those though three through thursday ticket time title to today together tomorrow total trade
  training transfer trial tuesday two type union unit university until up update upon url urgent us use user vat very via vice
  view was we website wednesday week weekend well were west what when where whether which while who why wish with within
  without wire work would year years yes yesterday yet you your yours zone
  english french german spanish italian american british european chinese japanese indian african asian dutch polish irish scottish
  welsh christmas easter ramadan diwali hanukkah internet google microsoft amazon apple facebook linkedin slack zoom excel word
  outlook teams salesforce hubspot zendesk stripe paypal visa mastercard github jira android iphone windows linux mac
  bonjour hallo hola ciao guten tag morgen liebe lieber sehr geehrte geehrter mit freundlichen grüßen viele grüße bitte danke cher
  chère cordialement merci estimado estimada saludos cordiales gracias und oder der die das ein eine ich wir sie ist nicht le la les
  un une des nous vous je est et ou el los las una y o yo nosotros por favor para con que lunes montag dienstag mittwoch donnerstag
  freitag samstag sonntag januar februar märz juni juli oktober dezember lundi mardi mercredi jeudi vendredi samedi dimanche
  ref iban bic swift dob ssn nhs ni nino ip api key token bearer pin cvv expiry isbn sku uuid gmbh ag bv sa sas plc pty nv kg oy ab
  attn ps pps btw asap eod eta kpi roi crm erp sla nda pdf csv json html http https usb gps ai uk usa eu uae gdpr
  afternoon evening morning night greetings cheers sincerely faithfully respectfully warm warmest looking forward
  valued respected esteemed colleague colleagues friends subscriber subscribers hiring recruiter concern
  beste geachte gentile querido querida salut kunde kundin mitarbeiter mitarbeiterin patientin witness applicant visitor insured
  launch portal framework statement webinar newsletter upgrade feature roadmap backlog sprint demo pitch lead leads deal deals offer
  northern southern eastern western island islands peninsula gulf bay cape
  shop store warehouse factory plant hall gate floor wing ward clinic lab laboratory campus harbor harbour bridge tower square lane
  act bill law court treaty republic kingdom states republic county borough parish province ocean river mountain lake valley sea
  server cluster database network router firewall gateway endpoint dashboard browser tablet laptop desktop printer monitor keyboard
  chief senior junior deputy assistant vice acting interim head lead principal global worldwide universal advanced basic
  breakfast lunch dinner emergency contacts invoices january-march everybody anyone someone something nothing anything
`);

/** Those of the ordinary words that are common surnames: after a first name, itself an ordinary word or not, they make a name. */
export const ordinarySurnames = words(`
  banks barber bell berry best bird bishop black bond booth brook brown burn bush butcher butler cannon carpenter carter chance chase
  clay cole cook cox craft crane cross crow dale day dean dick drew field fields finch fisher flint ford forest foster fox francis frank
  freeman frost gale glass golden good goodman grant gray green grey grove hardy harper harvey hazard head heath hill holiday hood hook
  hope house hunt hunter hurt joy justice key king knight lake lance lane law lawyer lee little lock long lord lot love low luck major
  march marsh marshal mason masters miles mill miller moon moor moore moss mount nation noble north page palmer park parker pepper
  perry pierce pike pole poole porter potter power price pride prince prior quick ray read reed reese rice rich ridge rivers rock rose
  rowan rush sage savage sharp shepherd shore short silver sloan small smith snow spring steel sterling stone storm street strong
  summers swan swift tanner tucker turner underwood vale wade wake walker wall walls ward waters wave weaver weber webber wells west
  wheeler white wild winter wise wolf wood woods wren wright york young
`);

/** First names, in lower case, that are much oftener the name of a place or a product. Alone they need a word before them: "Dear Georgia". */
export const placeNames = words(`
  adelaide alexandria asia aurora austin bethlehem bologna boston brooklyn cairo carolina charlotte chelsea china cordoba dakota dallas
  denver devon diego eden florence florida francisco geneva georgia houston india iran israel jackson java jersey jordan kent kenya lima
  lincoln london lourdes madison marseille memphis mexico milan montana nevada orlando oslo paris petra phoenix roma roman salem santiago
  savannah sofia sydney texas troy tyrone valencia venice verona vienna virginia vienna world siri alexa cortana claude gemini enter uri uma
`);

/** Words before a name that say that a person is meant, in lower case without their full stop. */
export const titles = words(`
  mr mrs ms miss mx dr prof professor sir dame lord lady rev father sister captain judge herr frau hr fr doktor monsieur madame
  mademoiselle mme mlle maître me señor señora señorita sr sra srta don doña signor signora signorina sig dott dhr mevr mevrouw
  meneer pan pani shri smt
`);

/** What follows the name of a company and is no part of how people call it, in lower case without full stops. */
export const legalForms = words(`
  ltd limited inc incorporated llc llp lp plc corp corporation co company gmbh ag kg ohg ug se sa sas sarl srl spa bv nv oy oyj ab
  as aps kft sro doo pty pvt pte kk sl sl
`);
