/** The paths of URLs that come again and again, each parsed once. No I/O. */

/** Where a request goes. */
export interface Location {
  /** The URL; the same text for all requests that have this one and no query. */
  readonly url: string;
  /** Normalised as `URL` does; undefined where the URL is none. */
  readonly path: string | undefined;
}

/** How many URLs are known at once, and how long they may be. */
const MAX_KNOWN = 256;
const MAX_LENGTH = 256;

/** Remembers URLs without their queries, which have no part in the path. */
export class Locations {
  readonly #known = new Map<string, Location>();

  /** Where a URL leads. */
  of(url: string): Location {
    const query = url.indexOf("?");
    const place = this.#find(query < 0 ? url : url.slice(0, query));
    return query < 0 ? place : { url, path: place.path };
  }

  #find(url: string): Location {
    const known = this.#known.get(url);
    if (known !== undefined) return known;
    const place = { url, path: URL.parse(url)?.pathname };
    if (url.length > MAX_LENGTH) return place;
    if (this.#known.size >= MAX_KNOWN) this.#known.clear();
    this.#known.set(url, place);
    return place;
  }
}
