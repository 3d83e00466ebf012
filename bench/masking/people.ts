const list = (text: string): readonly string[] => text.trim().split(/\s*\n\s*|\s*,\s*/);

/** First names as customers of a European or American company have them. Some are in no list of the product. */
export const givenNames = list(`
  Jane, Oliver, Priya, Kwame, Marie, Tomasz, Wei, Sofía, Anneliese, Mohammed, Siobhan, Yuki, Chidinma, Lars, Ana, Giulia, Piet, Zsófia,
  Elif, Dmitri, Fatima, Carlos, Hannah, Björn, Nia, Ravi, Camille, Jürgen, Noor, Aoife, Thabo, Mei, Arash, Ioana, Katarzyna, Rhys, Emeka,
  Leila, Diego, Ingrid, Sanjay, Chloe, Maarten, Ewa, Kofi, Alejandra, Rasmus, Bronwyn, Tariq, Xavier, Saoirse, Beyza, Goran, Lucía, Hiroshi,
  Abena, Matteo, Freya, Pavel, Ines, Joao, Mireille, Caoimhe, Oisin, Tadhg, Eilidh, Iolanthe, Calliope, Thaddeus, Lavinia, Percival, Zephyr,
  Anwen, Gethin, Ruairi, Niklas, Liesl, Wolfram, Aurélien, Ysaline, Iker, Nekane, Ludovica, Duccio, Sjoerd, Fenna, Bjarte, Sigrun, Wren,
  Makoa, Tevita, Nomvula, Sizwe, Adaeze, Olumide, Yared, Selamawit, Farrukh, Gulnara, Nodira, Bayarma, Sokha, Channary, Thiri, Aung
`);

/** Surnames, with particles, hyphens and apostrophes. */
export const familyNames = list(`
  Smith, Brown, Raghunathan, Boateng, Dubois, Kowalski, Zhang, García López, Köhler-Schmidt, Al-Farsi, O'Reilly, Tanaka, Okafor, Svensson,
  Ferreira, Ricci, de Vries, Nagy, Yılmaz, Volkov, Haddad, Mendoza, Clarke, Lindqvist, Jones, Patel, Laurent, Krüger, van den Berg, Murphy,
  Mokoena, Chen, Rostami, Popescu, Wiśniewska, Davies, Nwosu, Benali, Fernández, Haugen, Gupta, Taylor, Jansen, Zielińska, Mensah, Ruiz,
  Nielsen, Thomas, Hussain, Lefèvre, Byrne, Demir, Petrović, Navarro, Sato, Owusu, Bianchi, Larsen, Novák, Martins, Fontaine, McAllister,
  Abernathy, Whitcombe, Featherstone, Quill, Achterberg, Hrdlička, Tuilagi, Ngata, Ewing, Penhaligon, Trevelyan, Cholmondeley, Dlamini,
  Tesfaye, Rahmonov, Ganbold, Sok, Hlaing, Etxeberria, Zubizarreta, D'Angelo, Castellani, ter Horst, Hoekstra, Thorvaldsen, Bakke
`);

/** Company names without a legal form. */
export const companyNames = list(`
  Acme Widgets, Northwind Logistics, Blue Heron Foods, Kestrel Analytics, Greenfield Dairy, Harbour & Sons, Orchid Pharma, Silverline Motors,
  Brightwater Energy, Pinnacle Legal, Redwood Joinery, Cobalt Insurance, Fjord Shipping, Atlas Packaging, Lumière Textiles, Mercator Travel,
  Vulcan Steelworks, Tidewater Marine, Juniper Health, Quartz Systems, Falkirk Engineering, Oberon Media, Saffron Kitchens, Zenith Optics
`);
