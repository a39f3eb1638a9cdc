/** The libraries that are compared. */

/** Their names: of files, and in results. */
export const libraries = ["weir", "socketio", "centrifuge"] as const;

/** One of them. */
export type Library = typeof libraries[number];

/** Something of each library. */
export type OfEach<T> = Readonly<Record<Library, T>>;

/** What the page calls them. */
export const titles: OfEach<string> = {
  weir: "Weir",
  socketio: "Socket.IO",
  centrifuge: "centrifuge-js",
};
