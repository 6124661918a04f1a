// A clinic tells the visits of two days in one batch over HTTP; the key's secret is in KEY_SECRET:
//
//   node batch.mjs http://127.0.0.1:8010 tram-y-te phuong_chon_thanh
import { CloudEvent } from "cloudevents";

const [address, key, unit] = process.argv.slice(2);

function visits(daysAgo) {
  const day = new Date(Date.now() - daysAgo * 86_400_000).toISOString().slice(0, 10);
  return new CloudEvent({
    id: day,
    source: `/${key}/node`,
    type: "vn.ioc.visits.reported.v1",
    time: `${day}T17:00:00+07:00`,
    unit,
    data: { facility: "tram_node", day, visits: 41, insured: 38 },
  });
}

const answer = await fetch(`${address}/events`, {
  method: "POST",
  headers: {
    Authorization: `Bearer ${process.env.KEY_SECRET}`,
    "Content-Type": "application/cloudevents-batch+json",
  },
  body: JSON.stringify([visits(2), visits(1)]),
});
console.log(answer.status, await answer.text());
// 202: all of it is on disk. 429 and 503: once more after Retry-After seconds, what is known counts once.
process.exitCode = answer.status === 202 ? 0 : 1;
