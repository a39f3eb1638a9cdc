/** Every attribute of the `http` connector does what it says. */
import { testRows } from "./row.ts";
import { httpRows } from "./rows/http.ts";
import { httpTlsRows } from "./rows/http-tls.ts";

testRows([...httpRows, ...httpTlsRows]);
