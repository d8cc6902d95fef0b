package main

import (
	"slices"
	"time"
)

// rounds of a comparison: in each, everybody has a turn. They are short, so that other work on the machine troubles all.
const rounds = 12

// made is what came of the turns that somebody had.
type made struct {
	rates []float64 // of each turn
	count int
	took  time.Duration
	spans []time.Duration
}

func (m *made) add(o made) {
	m.count, m.took, m.spans = m.count+o.count, m.took+o.took, append(m.spans, o.spans...)
	m.rates = append(m.rates, o.perSecond())
}

func (m *made) perSecond() float64 { return float64(m.count) / m.took.Seconds() }

func (m *made) at(percent int) time.Duration {
	slices.Sort(m.spans)
	if len(m.spans) == 0 {
		return 0
	}
	return m.spans[(len(m.spans)-1)*percent/100]
}

// ratio is that to another, round by round: the median, and what the middle half of the rounds lies between.
func (m *made) ratio(of made) (low, median, high float64) {
	var ratios []float64
	for i := range m.rates {
		ratios = append(ratios, m.rates[i]/of.rates[i])
	}
	slices.Sort(ratios)
	n := len(ratios)
	return ratios[n/4], (ratios[(n-1)/2] + ratios[n/2]) / 2, ratios[n-1-n/4]
}
