/** Leads to try the flow with. All people and companies are made up; the domains are reserved for examples (RFC 2606). */
export const samples = {
  "urgent and large": {
    name: "Dana Whitfield",
    email: "dana.whitfield@northwind-logistics.example",
    company: "Northwind Logistics",
    message:
      "We need to replace our dispatch tool before the end of this month: 850 users in four countries, budget of $240,000 is approved. Can your sales team send a quote and show us a demo this week?",
  },
  vague: {
    name: "Sam Okoro",
    email: "sam.okoro@paperplane-studio.example",
    company: "Paperplane Studio",
    message: "Hi, came across your site and was just curious what you do. No plans yet, maybe next year.",
  },
  "support request": {
    name: "Mei Tanaka",
    email: "mei.tanaka@harbour-dental.example",
    company: "Harbour Dental",
    message:
      "Since this morning I cannot log in to my account, it shows error 500 after the password page. Two of us at the front desk are affected. Please help.",
  },
};
