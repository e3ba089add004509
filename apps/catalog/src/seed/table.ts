/** The form of a seed table: one file per category. A file lists deliveries, and a delivery lists products, two lines each. */
export interface SeedProduct {
  /** Never changes: carts and links hold it. */
  readonly productId: string;
  readonly name: string;
  readonly category: string;
  /** Minor units of EUR. */
  readonly price: number;
  readonly stock: number;
  /** The name of the picture that the web app serves at /images/<image>.svg. */
  readonly image: string;
  readonly options: Readonly<Record<string, readonly string[]>>;
  readonly description: string;
  /** yyyy-mm-dd */
  readonly addedOn: string;
}

export type Row = readonly [
  productId: string,
  name: string,
  price: number,
  stock: number,
  image: string,
  options: SeedProduct['options'],
  description: string,
];

/** The products that came on one day, by its date. */
export type Deliveries = Readonly<Record<string, readonly Row[]>>;

export const letters = ['XS', 'S', 'M', 'L', 'XL'];
export const twoSizes = ['S/M', 'L/XL'];
export const threeSizes = ['S', 'M', 'L'];
export const shoeSizes = ['37', '38', '39', '40', '41', '42', '43', '44'];
export const sockSizes = ['36-39', '40-43', '44-47'];
export const hatSizes = ['56', '58', '60'];
export const none = {};

export function category(name: string, deliveries: Deliveries): SeedProduct[] {
  return Object.entries(deliveries).flatMap(([addedOn, rows]) =>
    rows.map(([productId, productName, price, stock, image, options, description]) => ({
      productId,
      name: productName,
      category: name,
      price,
      stock,
      image,
      options,
      description,
      addedOn,
    })),
  );
}
