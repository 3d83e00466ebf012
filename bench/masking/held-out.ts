/**
 * Texts written after the rules were finished, and not used to improve them: `[[KIND|value]]` is labelled, everything else is none.
 * No number in them is somebody's: test cards, example accounts, numbers kept for fiction.
 */
export const heldOutTexts: readonly string[] = [
  `Morning [[PERSON|Hamish]],

I've had Mrs [[PERSON|Adeyinka-Rowe]] on the line again about the boiler at [[ADDRESS|4 Lower Addiscombe Road]], Croydon [[POSTCODE|CR0 6AA]]. She's on [[PHONE|07911 123456]] until three, after that [[PHONE|020 8496 0127]]. The engineer's report was uploaded on 3 March 2025 under job 88213-B. If we can't get there by Thursday she wants £180 back.

Ta
[[PERSON|Moira]]`,
  `Subject: Wire details
Please pay 12,400.00 EUR, net 30 days, to [[COMPANY|Vestergaard Maskinfabrik A/S]], IBAN [[IBAN|DK50 0040 0440 1162 43]], BIC NDEADKKK, reference 2025-0098-AX.
Questions to [[PERSON|Rikke Vestergaard]], [[EMAIL|rikke@vestergaard-maskin.dk]], [[PHONE|+45 32 12 34 56]].`,
  `hey, it's [[PERSON|Deshawn]] from the garage. ur car is done, came to $431.20. u can pay by card, we still have the one ending 4242. pick it up before 6 or call [[PHONE|(312) 555-0187]]`,
  `HR note 14 Feb 2025. [[PERSON|Oluwadamilare Ige]] (NI [[NI_NUMBER|QQ 12 34 56 C]], d.o.b. [[DATE_OF_BIRTH|7/11/91]]) reported sick from 10 to 12 February. Fit note on file. Line manager: [[PERSON|Bethan Pugh]]. Payroll number 004417. Bank changed to [[IBAN|GB33BUKB20201555555555]].`,
  `{"contact":{"fullName":"[[PERSON|Nguyễn Thị Hoa]]","born":"[[DATE_OF_BIRTH|1988-02-29]]"},"meta":{"ip":"[[IP|192.0.2.146]]","session":"b1946ac92492d2347c6235b4d2611184","build":"2025.02.14.3"},"text":"Cho tôi hỏi, my order 7731-20 has not come. Please write to [[EMAIL|hoa.nguyen88@mail.vn]]"}`,
  `Sehr geehrter Herr [[PERSON|Brandstätter]],
Ihre Kundennummer 4471182 wurde am 02.01.2025 gesperrt. Wohnhaft: [[ADDRESS|Lerchenfelder Gürtel 43]], 1160 Wien. Bitte rufen Sie Frau Dr. [[PERSON|Ilse Wondratschek]] unter [[PHONE|+43 1 234 56 78]] an oder überweisen Sie 59,90 EUR auf [[IBAN|AT61 1904 3002 3457 3201]].`,
  `Chère équipe, ma carte [[CARD|5105 1051 0510 5100]] a été débitée deux fois de 49,90 €. Je suis né le [[DATE_OF_BIRTH|5 juillet 1973]], j'habite [[ADDRESS|18 rue des Trois-Frères]], [[POSTCODE|75018]] Paris. Tél. [[PHONE|07 56 78 91 23]]. [[PERSON|Thérèse Quilichini]]`,
  `Incident 2025-03-02T04:11:09Z: the deploy bot leaked a credential. Token [[KEY|glpat-zX9kLmP2qR7sT4uV1wYb]] was in the log of host [[IP|198.51.100.23]]; the database URL was postgres://[[KEY|reporting:tr0ub4dor&3]]@db-2.internal:5432/prod. Both rotated at 04:40. Pull request 1187, commit 9fceb02.`,
  `Transcript of call 55120. Agent: thanks for holding, who am I speaking with? Caller: [[PERSON|Siddharth Venkataraghavan]], V-E-N. Agent: and your Social? Caller: [[SSN|219-09-9999]]. Agent: date of birth? Caller: [[DATE_OF_BIRTH|August 3rd, 1964]]. Agent: and the address on file is [[ADDRESS|77 Massachusetts Ave]], Cambridge, MA [[POSTCODE|02139]]? Caller: correct.`,
  `Referral. Pt [[PERSON|Gwenllian Prosser]], NHS no. [[NHS_NUMBER|450 557 7104]], DOB [[DATE_OF_BIRTH|23.09.1957]]. Lives with husband [[PERSON|Idris]] at [[ADDRESS|Tŷ Gwyn, Heol Fawr]], Llandeilo [[POSTCODE|SA19 6HL]]. BP 138/84, eGFR 61, HbA1c 48 mmol/mol. Ring daughter [[PERSON|Nesta]] on [[PHONE|01632 960 456]].`,
  `Hola, soy [[PERSON|Itziar Goikoetxea]]. He cambiado de cuenta: [[IBAN|ES91 2100 0418 4502 0005 1332]]. Mi DNI ya lo tenéis. Vivo en [[ADDRESS|Calle de Fuencarral 87]], 3.º B, Madrid. Móvil [[PHONE|612 34 56 78]]. Pedido 99-1203, factura F-2211.`,
  `Invite list for the board dinner: Sir [[PERSON|Alasdair Muir-Gray]], Dame [[PERSON|Temperance Obuya]], [[PERSON|Jean-Baptiste Le Goff]], [[PERSON|Xiaohui Feng]], [[PERSON|Ólafur Þórðarson]], plus two from [[COMPANY|Halloran Pike LLP]]. RSVP [[EMAIL|events@halloranpike.co.uk]]. Table 12, Savoy, 19:30.`,
  `Returns desk: RMA 20331, serial SN-7781-0042-1190, bought 11/12/2024, model XR-550. Customer paid with [[CARD|378282246310005]]. Parcel 00340434161094042557. Please email a label to [[EMAIL|t.okonjo_1990@protonmail.com]].`,
  `Security review: connections from [[IP|2a02:c7d:8e1b:4f00::1a2b]] and [[IP|10.20.30.40]] used AWS key [[KEY|AKIAI44QH8DHBEXAMPLE]]. Node 22.19.0 is up to date, OpenSSL 3.0.13 too. MAC 3c:22:fb:aa:01:9e. See RFC 6749, section 4.4.2.`,
];
