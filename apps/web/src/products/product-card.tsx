import type { Product } from '@cloakroom/contracts/http';
import { Link } from 'react-router';
import type { ChosenOptions } from '../api/api.types.ts';
import { formatPrice } from '../format.ts';
import { tintOf } from './products.ts';
import { swatchOf } from './colours.ts';
import { isColourOption } from './swatch.tsx';

interface PictureProps {
  readonly product: Pick<Product, 'productId' | 'image'> | undefined;
  readonly size: 'tiny' | 'card' | 'large';
  /** Of the first row, which is likely to be seen first. */
  readonly eager?: boolean;
  /** That was chosen: the picture stands on it. */
  readonly colour?: string | undefined;
}

const pixels = { tiny: 64, card: 200, large: 480 } as const;

/** Always the same room, with or without its picture; the ground is tinted by the product, so that a shelf is not one grey wall. */
export function ProductPicture({ product, size, eager = false, colour }: PictureProps) {
  const side = pixels[size];
  const ground = colour === undefined ? undefined : swatchOf(colour);
  return (
    <span
      className={`picture ${size}`}
      data-tint={product ? tintOf(product.productId) : undefined}
      data-colour={ground && colour}
      style={ground === undefined ? undefined : { backgroundColor: ground }}
    >
      {product && (
        <img
          src={product.image}
          alt=""
          width={side}
          height={side}
          loading={eager ? 'eager' : 'lazy'}
          decoding="async"
          {...(eager && { fetchPriority: 'high' as const })}
        />
      )}
    </span>
  );
}

/** Of a line, or of what is chosen on a page. */
export const colourOf = (options: ChosenOptions): string | undefined => Object.entries(options).find(([name]) => isColourOption(name))?.[1];

export const productPath = (productId: string): string => `/products/${encodeURIComponent(productId)}`;
export const categoryPath = (category: string): string => `/category/${encodeURIComponent(category)}`;

/** Fewer than this are said to be few. */
const fewLeft = 10;

export function stockText(stock: number): string {
  if (stock === 0) return 'Sold out';
  return stock < fewLeft ? `Only ${stock} left` : 'In stock';
}

export function ProductCard({ product, eager = false }: { readonly product: Product; readonly eager?: boolean }) {
  const colours = product.options.find(({ name }) => isColourOption(name))?.values.length ?? 0;
  return (
    <li className="card">
      <Link to={productPath(product.productId)}>
        <ProductPicture product={product} size="card" eager={eager} />
        <span className="card-text">
          <span className="card-name">{product.name}</span>
          <span className="card-line">
            <span className="price">{formatPrice(product.price, product.currency)}</span>
            {colours > 1 && <span className="quiet">{colours} colours</span>}
          </span>
          {product.stock < fewLeft && <span className={product.stock === 0 ? 'stock none' : 'stock'}>{stockText(product.stock)}</span>}
        </span>
      </Link>
    </li>
  );
}

/** As many empty cards as will come, in the same room: nothing moves when they do. */
export function CardSkeletons({ count }: { readonly count: number }) {
  return Array.from({ length: count }, (_, index) => (
    <li key={index} className="card skeleton" aria-hidden="true">
      <span className="picture card" />
      <span className="card-text">
        <span className="bone wide" />
        <span className="bone" />
      </span>
    </li>
  ));
}
