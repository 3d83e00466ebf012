/** First names of many countries, in lower case, written from general knowledge. The library `compromise` adds some 3,000, mostly English ones. */
export const firstNames: ReadonlySet<string> = new Set(
  `
  aaron abigail adam adrian aidan alan albert alex alexander alexandra alfie alice alison amanda amelia amy andrea andrew angela angus
  anna anne annie anthony antonia archie arthur ashley audrey barbara barry beatrice ben benjamin bernard bethany betty beverley
  brenda brian bridget bruce callum cameron carl caroline catherine charles charlie charlotte chloe chris christina christine
  christopher claire clara colin conor connor craig cynthia damian daniel danielle darren david deborah declan dennis derek diana
  diane dominic donald donna dorothy douglas duncan dylan edith edward eileen elaine eleanor elizabeth ella ellen ellie elliot emily
  emma eric erin ethan eve evelyn ewan faye felix fiona florence frances francesca frederick gabriel gareth gary gavin geoffrey george
  georgia georgina gerald gillian glenn gordon graham gregory gwen hamish hannah harold harriet harry heather heidi helen henry hilary
  howard hugh ian imogen isaac isabel isabella isla jacob jacqueline jake james jamie jane janet janice jason jean jeffrey jennifer
  jenny jeremy jessica jill jim joan joanna joanne joe joel john jonathan jordan joseph josephine joshua joyce judith julia julian
  julie justin karen kate katherine kathleen kathryn katie keith kelly kenneth kerry kevin kieran kim kirsty kyle laura lauren
  lawrence leah leonard lesley leslie lewis liam linda lindsay lisa logan lorraine louis louise lucas lucy luke lydia lynn madeleine
  maggie malcolm margaret maria marie marion martha martin mary matilda matthew maureen max maxwell megan melanie melissa mia michael
  michelle mike millie miranda molly monica morgan murray nancy naomi natalie natasha nathan neil niamh nicholas nicola nigel noah
  nora norman oliver olivia orla oscar pamela patricia patrick paul paula pauline peggy philip phoebe phyllis rachel ralph raymond
  rebecca reginald rhys richard robert roger ronald rory rosalind rosie ross roy russell ruth ryan sally sam samantha samuel sandra
  sara sarah scott sean sebastian shane shannon sharon shaun sheila shirley simon sinead siobhan sophia sophie stacey stanley stephanie
  stephen steve steven stewart stuart susan suzanne sylvia tamsin tania tara teresa theo theodore theresa thomas timothy tina toby tony
  tracey tracy trevor valerie vanessa vera veronica victoria vincent virginia walter wayne wendy wesley wilfred william yvonne zachary zara zoe
  brandon brittany chad chelsea cody courtney crystal derrick dustin gloria hunter jasmine jerome jesse kayla kristen kurt lamar
  latoya madison mackenzie marcus megan randy rodney shawn sierra tamara tanner tiffany todd travis trent tyler tyrone whitney
  amber angel art autumn bill bob brook carol carter chase cherry christian cliff constance cooper crystal curt daisy dale dawn dean dick
  drew earl ernest faith frank gene ginger glen grace grant guy harmony harper hazel holly hope iris ivy jack jade jay joy june kay lance
  lee leo lily mark mercy miles nick norm olive parker pat patience pearl penny piper prudence ray reed rich rob robin rod rose rowan ruby
  sandy sue summer tim tom verity victor violet wade will
  ava freya poppy sienna elsie aria maya lola luna bonnie maisie aurora penelope ada delilah orla erin edie robyn callie imogen nevaeh
  arlo jude luca freddie finley reggie ezra tommy ronnie albie roman louie otis ellis bodhi kit ethan caleb jaxon mason aiden grayson
  levi elijah josiah isaiah hudson wyatt landon colton easton weston kinsley paisley brooklyn skylar peyton riley avery addison
  ahmed ahmad ali aisha amina amir amira anwar asma ayesha aziz bilal bushra dalia faisal farah farid fatima fatma habib hadi hamid
  hamza hana hanan hassan hussein hussain ibrahim idris iman imran ismail jamal jamila kareem karim khadija khalid laila layla leila
  mahmoud mariam maryam mohamed mohammad mohammed muhammad mustafa nabil nadia nasser nour omar osman rania rashid reem rima saad said salem
  salim salma samir samira sana sara shireen soraya tariq walid yasmin yasmine yousef youssef yusuf zahra zainab zaynab ziad
  abhishek aditi aditya ajay akash alok amit amrita anand ananya anil anita anjali ankit anoop arjun arun asha ashish ashok bhavna
  chandra deepa deepak deepika devi dinesh divya ganesh gaurav gita gopal harish harsh hemant indira jaya jyoti kamal kavita kiran
  krishna kumar lakshmi lalit lata madhu mahesh manish manoj meena meera mohan mukesh naveen neha nikhil nisha nitin padma pankaj pooja
  prakash pradeep prasad pratik praveen priya priyanka radha rahul raj raja rajesh rajiv ramesh rani ravi rekha ritu rohan rohit roshni
  sachin sandeep sangeeta sanjay sanjeev santosh sarita satish savita seema shalini shankar shanti shilpa shivani shreya shruti shyam
  sita smita sneha sonia srinivas subhash sudha sunil sunita suresh sushil swati tanvi uma usha varun vijay vikas vikram vinay vinod
  vishal vivek yash
  chen cheng fang feng guang hao hong hua hui jia jian jiang jie jing jun kai lei li lin ling long mei ming min na ning ping qi
  qiang qing rong rui shan shu tao ting wei wen xia xiang xiao xin xiu yan yang yi ying yong yu yuan yue yun zhen zhi akira akiko asuka ayumi chiyo daichi daisuke emi emiko fumiko
  hana haruka haruki haruto hideki hikari hina hiro hiroshi hiroto ichiro kaito kazuki kazuo keiko ken kenji kenta koji kumiko makoto
  mariko masao mayumi megumi michiko miho mika minoru misaki miyuki nao naoki naoko natsumi noriko reiko ren rika ryo ryota sachiko
  sakura satoshi sayuri shinji shiro shota sora takashi takeshi taro tomoko tsubasa yamato yasuko yoko yoshi yuki yukiko yumi yuto
  hyun hye jae jihoon jin joon jung kyung mina minho minji minjun seo seung seojun soo sora sung woo yeon yoon young
  anh binh chau chi cuong dung duc duong giang hai hanh hieu hoa hoang huong huy khanh khoa lan linh loan long mai minh nam nga ngoc nguyen
  nhung phong phuc phuong quang quoc quyen son tam thanh thao thi thu thuy tien trang trinh trung tuan tuyet van vinh xuan
  adriana agustin alba alejandra alejandro alfonso alicia alonso alvaro ana andres angeles antonio arturo beatriz blanca camila carla
  carlos carmen carolina catalina cecilia claudia consuelo cristian cristina cristobal daniela diego dolores eduardo elena emilia
  emilio enrique ernesto esperanza esteban estela eva federico felipe fernanda fernando francisco gabriela gerardo gonzalo graciela
  guadalupe guillermo gustavo hector hugo ignacio ines irene isabela ivan javier jesus joaquin jorge jose josefina juan juana julieta
  julio lola lorena lourdes lucia luis luisa luz manuel manuela marcela marcelo marcos margarita mariana mario marta mateo matias
  mercedes miguel miriam natalia nicolas noelia nuria octavio pablo paloma patricio pedro pilar rafael ramiro ramon raquel raul ricardo
  roberto rocio rodolfo rodrigo rosa rosario ruben salvador santiago santos sergio silvia sofia soledad teodoro tomas valentina vicente
  ximena yolanda
  afonso amelia antonia beatriz bernardo bruno caio catarina davi duarte fabio fatima filipa flavia gabriel goncalo helena henrique ines
  joana joao larissa leonor leticia luana luiz mafalda marcia margarida mateus mauricio murilo nuno paulo rafaela renata rita rui tania
  thais thiago tiago vitor vitoria
  adele adrien agathe alain alexandre alexis alix amandine amelie anais andre antoine arnaud aurelie aurore baptiste bastien benoit
  bernadette bertrand brigitte bruno camille catherine cecile cedric celine chantal christelle christophe claude clemence clement colette
  corinne cyril damien delphine denis didier dominique edouard elise elodie emilie emmanuel emmanuelle estelle etienne eugenie fabien
  fabienne fabrice florian florent francois francoise frederic gaelle genevieve geraldine gerard ghislaine gilles guillaume guy helene
  herve hubert isabelle jacques jeanne jerome joel josiane juliette julien justine karine laetitia laurence laurent lea lionel loic luc
  lucie lucien ludovic madeleine mael manon marc marcel margaux marguerite marine marion martine mathieu mathilde maxime michel
  mireille monique morgane muriel nadine nathalie nicolas noemie odile olivier pascal pascale philippe pierre quentin raphael raphaelle
  regine remi remy renaud rene renee romain sabine sandrine sebastien serge severine solange sophie stephane sylvain sylvie theo thibault
  thierry valentin valerie veronique virginie xavier yann yannick yves yvette
  achim alexander andreas angelika anja anke anneliese annette antje armin arne astrid axel bastian bernd bettina birgit bjorn björn
  brigitte britta carsten christa christiane christoph claudia cornelia dagmar detlef dieter dietmar dirk doris eckhard edeltraud elfriede
  elke elisabeth erich erika erwin eva ewald florian frank franz franziska friedrich fritz gabriele georg gerd gerda gerhard gertrud gisela
  gudrun gunter günter günther gustav hannelore hans harald hartmut heike heiko heiner heinrich heinz helga helmut herbert hermann hilde
  hildegard holger horst inge ingeborg ingo ingrid irmgard jan jens jochen johann johanna johannes jonas jörg jorg jurgen jürgen jutta
  kai karin karl karla karsten katharina katja katrin kerstin klaus konrad kristin lars leon lena lothar ludwig lukas lutz magdalena maik
  manfred manuela marcel marco mareike margit margot marianne marina mario marlene martina mathias matthias maximilian michaela monika moritz
  nadja nina norbert nico oliver olaf otto patrizia peer petra philipp rainer ralf reiner reinhard reinhold renate roland rolf rosemarie
  rudiger rüdiger rudolf sabrina sascha siegfried sigrid silke simone sonja stefan stefanie steffen susanne sven swantje tanja theresia thorsten
  tobias torsten udo ulf ulrich ulrike ursula ute uwe volker waltraud werner wilhelm wolfgang yannik
  anders annika arvid asa astrid axel birgitta björn bo britt carina ebba einar elin elsa emil erik eskil espen eva folke frida fredrik freja
  gunnar gustaf hakan håkan halvor hanne harald hedda henrik hilma ingrid inger ingvar jens jesper johan jonas jorgen jørgen kaare kari karin
  karl kasper kerstin kjell knut kristian kristina kristoffer lars leif lena linnea linus liv magnus maj malin margareta maria marit mats mette mikael
  mikkel morten niels nils ola olav olof ole oskar per pernilla peter preben rasmus rikke rune siri sigrid signe soren søren sofie solveig stein
  stig sven svend terje thor tor torbjorn torbjørn tore trine ulf ulla viggo aino antti eero eeva elina hanna heikki helmi ilkka jari jarmo juha jukka
  jussi kaarina kalle katri lauri leena liisa matti mika mikko minna pekka petri piia pirjo riikka risto sami sanna sari satu seppo timo tuomas tuula ville
  aad anneke annemarie anouk arie bart bas beatrix bram cees corrie daan dirk eline elske femke floor frits gerrit gijs greet guus hans
  hein hendrik henk hilde ilse jaap jacco jan janneke jaap jasper jelle jeroen jip joke joost joris jurriaan karel kees klaas koen lieke
  lotte luuk maaike maarten mark marjolein marleen mees menno merel mieke niek noor pieter pim renske rik roos ruben ruud saskia sander
  sanne sjoerd sofie stijn tess teun thijs tijn tim truus willem wim wouter yvonne
  adam agata agnieszka aleksandra aleksander alicja andrzej aneta anita anna antoni artur barbara bartosz beata bogdan bozena cezary damian danuta
  dariusz dawid dominika dorota edyta elzbieta elżbieta ewa filip franciszek grazyna grażyna grzegorz halina hanna henryk irena iwona izabela jacek jadwiga
  jakub jan janina janusz jaroslaw jarosław jerzy joanna jolanta jozef józef julia justyna kacper kamil karolina katarzyna kazimierz kinga konrad krystyna
  krzysztof leszek lukasz łukasz maciej magda magdalena malgorzata małgorzata marcin marek maria mariusz marta mateusz michal michał miroslaw mirosław monika
  natalia norbert oliwia patrycja pawel paweł piotr przemyslaw przemysław radoslaw radosław rafal rafał renata robert roman ryszard sebastian slawomir sławomir
  stanislaw stanisław stefan sylwia szymon tadeusz teresa tomasz urszula wanda wieslaw wiesław wiktor wiktoria wioletta witold wladyslaw władysław wojciech zbigniew
  zdzislaw zdzisław zofia zuzanna zygmunt
  alena aleksandr aleksei alexei anastasia anatoly andrei andrej andriy anton antonina arkady artem bohdan boris daria darya denis dmitri dmitry ekaterina
  elena evgeny evgeniy galina gennady grigory igor ilya inna irina ivan kateryna katya kirill konstantin ksenia larisa leonid lev liudmila ludmila lyudmila
  maksim marina maxim mikhail mila misha nadezhda natalya natasha nikita nikolai oksana oleg oleksandr olena olesya olga pavel petro polina roman ruslan sasha
  semyon sergei sergey serhiy slava sofiya stanislav svetlana taras tatiana tatyana timur vadim valentina valeria vasily vasyl viktor viktoria vitaly vladimir
  vlad volodymyr vyacheslav yana yaroslav yegor yekaterina yelena yevgeny yulia yuri yuriy zoya
  adela alena andrea barbora bohumil dana david denisa eliska eva frantisek hana honza ivana ivo jan jana jaroslav jarmila jindrich jiri jiří josef
  karel katerina klara kveta ladislav lenka libor lucie ludek lukas marketa martin martina michal milada milan milena milos miroslav monika ondrej otakar
  pavel pavla petr petra radek radka radim renata roman rudolf simona stanislav stepan tereza tomas vaclav václav vera veronika vit vladimira vojtech zdenek zdenka zuzana
  attila balazs bela csaba dora dorottya endre erzsebet eszter ferenc gabor gergo gyorgy ildiko ilona istvan jozsef judit kata katalin klara laszlo lajos
  levente magda maria marton mate miklos nora orsolya peter reka sandor tamas tibor tunde vilmos viktoria zoltan zsofia zsolt zsuzsa
  adrian alexandru alina ana andreea anca bogdan camelia catalin catalina ciprian claudiu corina cosmin cristian cristina dan daniela diana doina dragos elena
  florin gabriela george gheorghe horia ileana ioana ion ionut irina iulia iulian laura liviu lucian madalina marian mihaela mihai mircea monica nicoleta octavian
  oana ovidiu paul petru radu raluca razvan roxana simona sorin stefan teodora tudor vasile victor viorel vlad
  achilleas alexandros anastasios andreas angeliki antonis apostolos aris aristides athanasios chara christos despina dimitra dimitris dimitrios eirini eleftheria
  eleni evangelos fotini georgia georgios giannis giorgos ioanna ioannis kostas konstantinos kyriakos lefteris maria michalis nikolaos nikos panagiota panagiotis
  petros sofia sotiris spyros stavros stelios thanos theodoros vasiliki vasilis yannis yiannis zoi
  aleksandar ana bojan borislav branko darko dejan dragan dragana dusan goran gordana ivana ivo jelena jovan jovana luka marija marko milan milica milos mirjana
  nemanja nenad nikola predrag radmila sanja sasa slobodan snezana srdjan stojan tatjana tomislav vesna vladan zeljko zlatko zoran
  adalberto alberto aldo alessandra alessandro alessia alfredo andrea angela angelo anna annalisa antonella antonio arianna aurora beatrice benedetta bianca
  bruno camilla carla carlo carmela caterina chiara cinzia claudio corrado cristiano daniela daniele dario davide debora domenico donatella edoardo elena eleonora
  elisa elisabetta emanuele enrico enzo fabio fabrizio federica federico filippo flavio francesca francesco franco gabriele gaetano giacomo gianluca gianni
  giorgia giorgio giovanna giovanni giulia giuliano giulio giuseppe giuseppina grazia greta guido ilaria irene jacopo laura leonardo lorenzo loredana luca
  luciano lucrezia luigi luisa manuela marcello marco margherita maria mario marta martina massimo matilde matteo mattia maurizio michela michele milena mirella
  monica nicola nicolo ornella paola paolo pasquale patrizia pietro raffaele raffaella renato renzo riccardo rita roberta roberto romina rosanna rosaria sabrina
  salvatore sara serena sergio silvana silvia silvio simona simone sofia stefania stefano susanna tiziana tommaso umberto valentina valerio vincenzo vittoria
  vittorio viviana
  abena abiola achieng ade adebayo adeola adwoa akua akosua amadou ama amara aminata awa ayo ayodele babajide baraka chidi chidinma chiamaka chinedu chioma chukwu
  damilola ebele ebony efua ekene emeka esi fatou femi folake funmi gbenga ifeoma ifeanyi ike ikenna jabari jomo juma kagiso kamau khaya kofi kojo kwabena kwaku
  kwame kwasi lerato lindiwe lwazi makena mamadou mandla mariama moussa mpho mwangi naledi nana ndidi ngozi njeri nkechi nneka nomsa nomvula obi obinna olu
  oluwaseun ousmane precious sanaa segun seydou simba sipho sibusiso tafari tatenda temitope tendai thabo thandi thandiwe themba tolu tunde uche wambui wangari
  wanjiru yaa yaw zanele zola zuri
  abebe alemayehu bekele berhane dawit desta genet haile hirut kebede lemma mekonnen meseret mulugeta selam selamawit solomon tadesse tesfaye tigist yohannes
  arman ashkan azadeh babak bahram behnam dariush ehsan farhad farzaneh fereshteh golnaz hamed hossein javad kamran kaveh kourosh leyla mahsa maryam masoud mehdi
  mehran mina mohsen nasrin navid nima parisa parviz pooya reza roya saeed sahar samaneh sepideh shahram shirin siavash sina soheil zahra
  aylin ayse ayşe aysel baris barış berk burak burcu can cem cemal deniz derya dilek ebru elif emine emre ercan erdem esra fatih fatma ferhat gamze gizem gokhan
  gökhan gul gül gulsen hakan halil hande hatice huseyin hüseyin ilker ismet kemal kerem levent mehmet melek melis merve murat mustafa nazli nur onur orhan ozan
  ozge özge ozlem özlem pelin pinar pınar selin selim serkan sevgi sibel sinan tarik tolga tugba tuğba turgut ufuk umit ümit volkan yasemin yavuz yildiz yusuf zehra zeynep
  abraham ariel asher avi aviva avraham chaim chana daphna david dov efraim eitan eli eliezer esther gal gideon gil hadassah ilan itai itzhak leah levi liora maya menachem
  meir michal mordechai moshe naftali nava noa noam ofer omer orly rachel reuven rivka ronen sara shaul shimon shira shlomo shmuel tal tamar tzvi uri yael yaakov yair yehuda yitzhak yoav yonatan yosef zvi
  aaliyah alofa aroha atu fetu hemi hine hone iolana kahu kai kalani kaia keoni leilani losa makana mele moana ngaire nikau pania rangi sione tama tane tavita tipene
  tui wiremu agus ayu bagus budi dewi dian eko endang fitri hendra indah joko kartika lestari maya nurul putri rini rizky siti slamet sri suharto tri wahyu wati yanti
  amihan bayani benigno corazon dalisay efren imelda jejomar kristine lualhati maricel marites ofelia ramil rodel rowena rommel teresita
  anong apinya chai chaiwat kittisak malee nattapong niran pim ploy prasert somchai somsak suda sunisa supaporn wichai
  `
    .split(/\s+/)
    .filter((name) => name !== ""),
);

/** Ends of surnames, by which a name is known when its first part is not. */
export const surnameEnd =
  /(?:ski|ska|cki|cka|wicz|czyk|owicz|chuk|enko|shvili|dze|sson|sdottir|dóttir|ović|ovic|evic|ević|opoulos|poulos|akis|idis|iadis|escu|eanu|ova|ová|eva|oğlu|oglu|yan|ian|stein|mann|meier|meyer|huber|bauer|berger|backer|becker|vedi|murthy|swamy|nathan|samy|singh|rajan|moto|naka|gawa|kawa|mura|mori|shima|yama|zaki|guchi|bayashi|tanaka|ez|eira|eiro|etti|elli|ini|ucci|acci|osz|nagy|strom|ström|berg|lund|gren|quist|holm|dahl|gaard|sen|stra|sma|inga|aert|aerts|ssen|wala|walla|kumar|kar|jee|eswaran|achi|okonkwo|adeyemi|wuala|bello)$/;
