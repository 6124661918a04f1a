// A clinic tells yesterday's visits over NATS; the key's secret is in KEY_SECRET:
//
//	go run . nats://127.0.0.1:4222 tram-y-te phuong_chon_thanh
package main

import (
	"context"
	"encoding/json"
	"log"
	"os"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

func main() {
	address, key, unit := os.Args[1], os.Args[2], os.Args[3]
	client := must(nats.Connect(address, nats.UserInfo(key, os.Getenv("KEY_SECRET")),
		nats.CustomInboxPrefix("_INBOX_"+key), // the one place where this key hears answers
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { log.Fatal(err) })))
	defer client.Close()
	day := time.Now().AddDate(0, 0, -1).Format(time.DateOnly)
	event := must(json.Marshal(map[string]any{
		"specversion": "1.0", "id": day, "source": "/" + key + "/go", "type": "vn.ioc.visits.reported.v1",
		"time": day + "T17:00:00+07:00", "unit": unit,
		"data": map[string]any{"facility": "tram_go", "day": day, "visits": 41, "insured": 38},
	}))
	subject := "ioc.events." + unit + ".health.visits.reported." + key
	answer := must(must(jetstream.New(client)).Publish(context.Background(), subject, event))
	log.Printf("on disk as number %d", answer.Sequence) // without this answer: once more, the same counts once
}

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}
