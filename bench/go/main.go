// Command bench is a baseline of `ioc bench ingest`: the least that a hand-written program does with the stream.
//
// It fetches a batch, reads the envelope of each event, copies the batch into the database, lets ON CONFLICT say what
// is new, counts that by type, unit and hour, commits, and acknowledges. It keeps no state of entities, takes no point
// back, holds no days and months, checks no field of the data, no unit and no personal data, and one message that it
// cannot read ends it.
package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"log"
	"os"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go"
)

const tables = `
CREATE TEMP TABLE new_event (
    key uuid, time timestamptz, type text, unit text, source text, id text, data jsonb
) ON COMMIT DELETE ROWS`

const store = `
WITH fresh AS (
    INSERT INTO bench_go SELECT * FROM new_event ORDER BY key ON CONFLICT DO NOTHING RETURNING type, unit, time
)
INSERT INTO bench_go_hour AS h
SELECT type, unit, date_trunc('hour', time), count(*) FROM fresh GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
ON CONFLICT (type, unit, hour) DO UPDATE SET count = h.count + excluded.count`

var columns = []string{"key", "time", "type", "unit", "source", "id", "data"}

type event struct {
	Source, ID, Type, Unit string
	Time                   time.Time
	Data                   json.RawMessage
}

func main() {
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, os.Getenv("BENCH_DATABASE_URL"))
	check(err)
	_, err = conn.Exec(ctx, tables)
	check(err)
	size, err := strconv.Atoi(os.Getenv("BENCH_BATCH"))
	check(err)
	messages := subscribe()
	for {
		batch, err := messages.Fetch(size, nats.MaxWait(time.Second))
		if errors.Is(err, nats.ErrTimeout) {
			continue
		}
		check(err)
		check(pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error { return keep(ctx, tx, batch) }))
		for _, message := range batch {
			check(message.Ack())
		}
	}
}

func subscribe() *nats.Subscription {
	user := os.Getenv("BENCH_NATS_USER")
	client, err := nats.Connect(
		os.Getenv("BENCH_NATS_URL"),
		nats.UserInfo(user, os.Getenv("BENCH_NATS_PASSWORD")),
		nats.CustomInboxPrefix("_INBOX_"+user),
	)
	check(err)
	stream, err := client.JetStream()
	check(err)
	consumer := os.Getenv("BENCH_CONSUMER")
	messages, err := stream.PullSubscribe("", consumer, nats.Bind(os.Getenv("BENCH_STREAM"), consumer))
	check(err)
	return messages
}

func keep(ctx context.Context, tx pgx.Tx, batch []*nats.Msg) error {
	rows := make([][]any, len(batch))
	for i, message := range batch {
		var e event
		if err := json.Unmarshal(message.Data, &e); err != nil {
			return err
		}
		digest := sha256.Sum256([]byte(e.Source + "\n" + e.ID))
		rows[i] = []any{[16]byte(digest[:16]), e.Time, e.Type, e.Unit, e.Source, e.ID, e.Data}
	}
	if _, err := tx.CopyFrom(ctx, pgx.Identifier{"new_event"}, columns, pgx.CopyFromRows(rows)); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, store)
	return err
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
