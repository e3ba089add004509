/** The countries to which the shop sends parcels. The service takes any ISO 3166-1 code. */
export const countries = ['AT', 'BE', 'CH', 'CZ', 'DE', 'DK', 'ES', 'FI', 'FR', 'GB', 'IE', 'IT', 'LU', 'NL', 'NO', 'PL', 'PT', 'SE', 'US'];

/** Postal codes as the Universal Postal Union lists them. Spaces are free. A country that is not in the list takes any text. */
const postalCodes: Readonly<Record<string, { readonly form: RegExp; readonly example: string }>> = {
  AT: { form: /^\d{4}$/, example: '1010' },
  BE: { form: /^\d{4}$/, example: '1000' },
  CH: { form: /^\d{4}$/, example: '8001' },
  CZ: { form: /^\d{3} ?\d{2}$/, example: '110 00' },
  DE: { form: /^\d{5}$/, example: '10115' },
  DK: { form: /^\d{4}$/, example: '1050' },
  ES: { form: /^\d{5}$/, example: '28001' },
  FI: { form: /^\d{5}$/, example: '00100' },
  FR: { form: /^\d{5}$/, example: '75001' },
  GB: { form: /^[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}$/i, example: 'SW1A 1AA' },
  IE: { form: /^[A-Z]\d[\dW] ?[A-Z\d]{4}$/i, example: 'D02 AF30' },
  IT: { form: /^\d{5}$/, example: '00118' },
  LU: { form: /^(L-)?\d{4}$/i, example: '1111' },
  NL: { form: /^\d{4} ?[A-Z]{2}$/i, example: '1012 AB' },
  NO: { form: /^\d{4}$/, example: '0150' },
  PL: { form: /^\d{2}-?\d{3}$/, example: '00-001' },
  PT: { form: /^\d{4}-?\d{3}$/, example: '1000-001' },
  SE: { form: /^\d{3} ?\d{2}$/, example: '111 22' },
  US: { form: /^\d{5}(-\d{4})?$/, example: '10001' },
};

/** @returns what is wrong with the postal code, in words; '' if it is right */
export function postalCodeFault(country: string, text: string): string {
  const known = postalCodes[country];
  if (known === undefined || text.trim() === '' || known.form.test(text.trim())) return '';
  return `A postal code of ${countryName(country)} looks like ${known.example}.`;
}

const regionNames = new Intl.DisplayNames('en', { type: 'region' });
export const countryName = (code: string): string => (/^[A-Z]{2}$/.test(code) ? (regionNames.of(code) ?? code) : code);
