package telemetry

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Mails is what there is to know of mails.
type Mails struct {
	// Sent, Expired, Refused and Retried count since the start.
	Sent, Expired, Refused, Retried int64
	// Down: no mail can be sent now.
	Down bool
	// Waiting counts the mails that are not sent yet, by all sidecars together, and Oldest is how long the first of them
	// has waited. Waiting is below 0 where nobody could be asked.
	Waiting int
	Oldest  time.Duration
}

// lookLimit bounds how long Prometheus waits for a look into the outbox.
const lookLimit = 2 * time.Second

// Mails lets Prometheus know what look tells.
func (t *Telemetry) Mails(look func(context.Context) Mails) {
	t.registry.MustRegister(&mailCollector{
		look:    look,
		mails:   prometheus.NewDesc("narthex_mails_total", "Mails by what became of them; retried counts tries that failed.", []string{"outcome"}, nil),
		up:      prometheus.NewDesc("narthex_mail_up", "0 while no mail can be sent.", nil, nil),
		waiting: prometheus.NewDesc("narthex_mails_waiting", "Mails that are not sent yet, of all sidecars that share the state.", nil, nil),
		oldest:  prometheus.NewDesc("narthex_mails_oldest_seconds", "How long the first of them has waited.", nil, nil),
	})
}

type mailCollector struct {
	look                       func(context.Context) Mails
	mails, up, waiting, oldest *prometheus.Desc
}

// Describe implements prometheus.Collector.
func (c *mailCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.mails, c.up, c.waiting, c.oldest} {
		ch <- d
	}
}

// Collect implements prometheus.Collector.
func (c *mailCollector) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), lookLimit)
	defer cancel()
	m := c.look(ctx)
	for outcome, n := range map[string]int64{"sent": m.Sent, "expired": m.Expired, "refused": m.Refused, "retried": m.Retried} {
		ch <- prometheus.MustNewConstMetric(c.mails, prometheus.CounterValue, float64(n), outcome)
	}
	up := 1.0
	if m.Down {
		up = 0
	}
	ch <- prometheus.MustNewConstMetric(c.up, prometheus.GaugeValue, up)
	if m.Waiting >= 0 {
		ch <- prometheus.MustNewConstMetric(c.waiting, prometheus.GaugeValue, float64(m.Waiting))
		ch <- prometheus.MustNewConstMetric(c.oldest, prometheus.GaugeValue, m.Oldest.Seconds())
	}
}
