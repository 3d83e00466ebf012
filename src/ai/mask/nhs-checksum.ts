/** @see https://www.datadictionary.nhs.uk/attributes/nhs_number.html (modulus 11) */
export function isNhsNumber(digits: string): boolean {
  if (!/^\d{10}$/.test(digits)) return false;
  const sum = Array.from(digits.slice(0, 9)).reduce((total, digit, index) => total + Number(digit) * (10 - index), 0);
  return (11 - (sum % 11)) % 11 === Number(digits[9]) && !/^(\d)\1{9}$/.test(digits);
}
