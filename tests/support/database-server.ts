/** A database server of a test's own: what those of PostgreSQL and MariaDB have in common. */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { folderOf, give, mountDisk, unmountDisk } from "./database-machine.ts";
import { OwnServer, type Site } from "./own-server.ts";
import { keptPort } from "./ports.ts";

export { PASSWORD } from "./own-server.ts";

/** Where a server is; its folder has its Unix socket, too. */
export interface Place extends Site {
  /** Its data. */
  readonly data: string;
}

/** A small disk for the data of a server. Needs the service "tmpfs". */
export interface Disk {
  /** Its size in megabytes. */
  readonly disk?: number;
}

/** Makes the place of a server that runs as `user`; `make` fills it. Nothing is left where that fails. */
export async function makePlace(
  user: string,
  { disk }: Disk,
  make: (place: Place) => Promise<void>,
): Promise<Place> {
  const folder = await folderOf(user, `weir-${user}-`);
  const place = { folder, data: join(folder, "data"), port: await keptPort() };
  await mkdir(place.data, { mode: 0o700 });
  try {
    if (disk !== undefined) await mountDisk(place.data, disk);
    await make(place);
    await give(folder, user);
  } catch (error) {
    if (disk !== undefined) await unmountDisk(place.data).catch(() => {});
    await rm(folder, { recursive: true });
    throw error;
  }
  return place;
}

/** One server. It is made with data that are ready, and does not run yet. */
export abstract class DatabaseServer extends OwnServer {
  readonly data: string;
  readonly #disk: boolean;

  constructor(place: Place, { disk }: Disk) {
    super(place);
    this.data = place.data;
    this.#disk = disk !== undefined;
  }

  /** Leaves no space on its small disk. */
  async fillDisk(): Promise<void> {
    if (!this.#disk) throw new Error("the server has no small disk");
    for (const bytes of [1 << 20, 1 << 12]) {
      const block = new Uint8Array(bytes);
      const options = { flag: "a" };
      const written = () => writeFile(this.#ballast, block, options).then(() => true, () => false);
      while (await written());
    }
  }

  /** Frees what `fillDisk` has used. */
  async freeDisk(): Promise<void> {
    await rm(this.#ballast, { force: true });
  }

  protected override async clear(): Promise<void> {
    if (this.#disk) await unmountDisk(this.data);
    await super.clear();
  }

  get #ballast(): string {
    return join(this.data, "ballast");
  }
}
