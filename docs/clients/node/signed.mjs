// A clinic tells yesterday's visits over HTTP with a key that signs (RFC 9421); its secret, in KEY_SECRET, is never sent:
//
//   node signed.mjs http://127.0.0.1:8010 tram-y-te phuong_chon_thanh
import { createHash } from "node:crypto";
import { CloudEvent } from "cloudevents";
import signatures from "http-message-signatures";

const [address, key, unit] = process.argv.slice(2);
const day = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
const event = new CloudEvent({
  id: day,
  source: `/${key}/node-signed`,
  type: "vn.ioc.visits.reported.v1",
  time: `${day}T17:00:00+07:00`,
  unit,
  data: { facility: "tram_node_signed", day, visits: 41, insured: 38 },
});
const body = JSON.stringify(event);
const request = {
  method: "POST",
  url: `${address}/events`,
  headers: {
    "Content-Type": "application/cloudevents+json",
    "Content-Digest": `sha-256=:${createHash("sha256").update(body).digest("base64")}:`,
  },
};
const how = {
  key: signatures.createSigner(process.env.KEY_SECRET, "hmac-sha256", key),
  fields: ["@method", "@path", "content-type", "content-digest"],
};
const signed = await signatures.httpbis.signMessage(how, request);
const answer = await fetch(signed.url, { ...signed, body });
console.log(answer.status, await answer.text());
// 401: the clock is wrong by more than five minutes, or the secret. 429 and 503: sign and send it once more.
process.exitCode = answer.status === 202 ? 0 : 1;
