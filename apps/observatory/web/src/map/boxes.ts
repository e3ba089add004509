/** Where the cards of the map are. Their places are the layout's business, so they are measured after each drawing. */
import { useLayoutEffect, useState, type RefObject } from 'react';

export interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** By the name of the place. */
export type Boxes = ReadonlyMap<string, Box>;

export function useBoxes(place: RefObject<HTMLElement | null>, drawnFor: unknown): Boxes {
  const [boxes, setBoxes] = useState<Boxes>(new Map());
  useLayoutEffect(() => {
    const map = place.current;
    if (!map) return;
    const measure = (): void => {
      const found = boxesIn(map);
      setBoxes((before) => (JSON.stringify([...before]) === JSON.stringify([...found]) ? before : found));
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(map);
    return () => observer.disconnect();
  }, [place, drawnFor]);
  return boxes;
}

function boxesIn(map: HTMLElement): Boxes {
  const origin = map.getBoundingClientRect();
  const places = [...map.querySelectorAll<HTMLElement>('[data-node]')].map((element): [string, Box] => {
    const { left, right, top, bottom } = element.getBoundingClientRect();
    return [
      element.dataset['node'] ?? '',
      { left: left - origin.left, right: right - origin.left, top: top - origin.top, bottom: bottom - origin.top },
    ];
  });
  return new Map(places);
}
