import assert from "node:assert/strict";
import { test } from "node:test";
import { Locations } from "../../src/runtime/site.ts";

test("the path of a location is that of URL, with and without a query, parsed and remembered", () => {
  const locations = new Locations();
  const urls = [
    ...[
      "http://host/ws",
      "http://host/ws?user_id=1",
      "http://host/ws?a=/b?c#d",
      "http://host/a#?b",
    ],
    ...[
      "http://host/a/../ws",
      "http://host/%77s",
      "http://host//ws",
      "http://host\\\\x/ws",
      "http://h",
    ],
    ...[
      "http://user@host:8080/ä",
      "http://host:99999/ws",
      "http://1.2.3.999/ws",
      "http://h h/",
      "/ws",
    ],
    ...["", "?", "*", `http://host/${"long/".repeat(100)}?q`],
  ];
  for (let round = 0; round < 3; round++) {
    for (const url of urls) {
      assert.deepEqual(locations.of(url), { url, path: URL.parse(url)?.pathname }, url);
    }
  }
});

test("more locations than are remembered", () => {
  const locations = new Locations();
  for (let index = 0; index < 1000; index++) {
    assert.equal(locations.of(`http://host/${index % 300}`).path, `/${index % 300}`);
  }
});
