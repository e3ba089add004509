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
  /** The picture is in the first row, which a person sees first. */
  readonly eager?: boolean;
  /** The chosen colour. It is the picture's background. */
  readonly colour?: string | undefined;
}

const pixels = { tiny: 64, card: 200, large: 480 } as const;

/** Takes the same room with or without its picture. The product tints the background, so that a shelf is not one grey wall. */
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

/** The colour among the options of a cart line, or among the choices on a page. */
export const colourOf = (options: ChosenOptions): string | undefined => Object.entries(options).find(([name]) => isColourOption(name))?.[1];

export const productPath = (productId: string): string => `/products/${encodeURIComponent(productId)}`;
export const categoryPath = (category: string): string => `/category/${encodeURIComponent(category)}`;

/** The page warns of a stock below this. */
const fewLeft = 10;

export function Stock({ stock }: { readonly stock: number }) {
  const kind = stock === 0 ? ' none' : stock < fewLeft ? '' : ' enough';
  return <span className={`stock${kind}`}>{stockText(stock)}</span>;
}

function stockText(stock: number): string {
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
          {product.stock < fewLeft && <Stock stock={product.stock} />}
        </span>
      </Link>
    </li>
  );
}

/** Empty cards that take the room of the coming ones, so that nothing moves when those arrive. */
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
