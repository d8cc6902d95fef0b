package flow

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/narthex/narthex/internal/config"
)

// Rate is how many in a window, which begins with the first. A plain number has no window.
type Rate struct {
	Count  int
	Window time.Duration
}

// Limits are the budgets of a flows file, by name. One that is not there is off.
type Limits map[string][]Rate

// The budgets.
const (
	LimitStarted         = "started_per_client"
	LimitFinished        = "finished_per_client"
	LimitOpen            = "open_per_client"
	LimitMessages        = "messages_per_address"
	LimitMessagesClient  = "messages_per_client"
	LimitMessagesNetwork = "messages_per_network"
	LimitMessagesSite    = "messages_per_site"
	LimitGuesses         = "guesses_per_address"
	LimitGuessesClient   = "guesses_per_client"
	LimitLoginClient     = "login_failures_per_client"
	LimitLoginFree       = "login_failures_before_delay"
	LimitLoginStop       = "login_failures_before_stop"
)

// LimitInfo describes one budget for people.
type LimitInfo struct {
	Name, Default, Meaning string
	// Plain is a number without a window.
	Plain bool
}

// LimitTable lists the budgets with their defaults.
func LimitTable() []LimitInfo {
	return []LimitInfo{
		{Name: LimitStarted, Default: "10/3h", Meaning: "registrations that one client begins"},
		{Name: LimitFinished, Default: "5/3h", Meaning: "registrations that one client finishes"},
		{Name: LimitOpen, Default: "5", Plain: true, Meaning: "registrations that one client has open at the same time"},
		{Name: LimitMessages, Default: "[3/hour, 5/day]", Meaning: "messages to one address, over all flows and for whatever purpose"},
		{Name: LimitMessagesClient, Default: "10/hour", Meaning: "messages that one IP address causes"},
		{Name: LimitMessagesNetwork, Default: "20/hour", Meaning: "messages that one IPv6 network of 64 bits causes"},
		{Name: LimitMessagesSite, Default: "100/hour", Meaning: "messages that one IPv6 network of 48 bits causes"},
		{Name: LimitGuesses, Default: "[10/hour, 25/day]", Meaning: "codes that are tried for one address, over all flows"},
		{Name: LimitGuessesClient, Default: "50/3h", Meaning: "codes that one client tries"},
		{Name: LimitLoginClient, Default: "30/5m", Meaning: "logins of one client that fail, over all names"},
		{Name: LimitLoginFree, Default: "5", Plain: true, Meaning: "logins with one name, or to one account, that fail one after the other before each further one has to wait"},
		{Name: LimitLoginStop, Default: "100", Plain: true, Meaning: "logins that fail one after the other before there are no more for a day"},
	}
}

// limitOff switches a budget off.
const limitOff = "off"

// DefaultLimits are those of a file that says nothing.
func DefaultLimits() Limits {
	limits := Limits{}
	for _, l := range LimitTable() {
		for text := range strings.SplitSeq(strings.Trim(l.Default, "[]"), ", ") {
			rate, _ := parseRate(text)
			if l.Plain {
				rate.Count, _ = strconv.Atoi(text)
			}
			limits[l.Name] = append(limits[l.Name], rate)
		}
	}
	return limits
}

// Number is that of a budget without a window; 0 when it is off.
func (l Limits) Number(name string) int {
	if rates := l[name]; len(rates) > 0 {
		return rates[0].Count
	}
	return 0
}

// Bounds of what the file can say. A window is how long counters are kept.
const (
	mostCount    = 1_000_000
	mostWindows  = 2
	shortWindow  = time.Second
	longWindow   = 7 * 24 * time.Hour
	rateFix      = `write a number and a time, like 5/day, 10/hour or 10/3h, or off`
	limitPattern = `^([1-9][0-9]{0,6})/(second|minute|hour|day|[0-9]{1,6}[smh])$`
)

var (
	rateForm  = regexp.MustCompile(limitPattern)
	rateUnits = map[string]time.Duration{"second": time.Second, "minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour}
)

// parseRate reads "5/day".
func parseRate(text string) (Rate, bool) {
	parts := rateForm.FindStringSubmatch(text)
	if parts == nil {
		return Rate{}, false
	}
	count, _ := strconv.Atoi(parts[1]) // the form bounds it
	window, named := rateUnits[parts[2]]
	if !named {
		window, _ = time.ParseDuration(parts[2])
	}
	return Rate{count, window}, count <= mostCount && window >= shortWindow && window <= longWindow
}

func (r *reader) readLimits(n *config.Node) {
	r.def.Limits = DefaultLimits()
	if n == nil {
		return
	}
	m := n.Mapping()
	for _, l := range LimitTable() {
		at := m.Get(l.Name)
		switch {
		case at == nil:
		case l.Plain:
			r.def.Limits[l.Name] = readPlainLimit(at)
		default:
			r.def.Limits[l.Name] = readRates(at)
		}
	}
	m.Done()
	if free, stop := r.def.Limits.Number(LimitLoginFree), r.def.Limits.Number(LimitLoginStop); stop > 0 && free >= stop {
		n.Fault(fmt.Sprintf("%s is not below %s", LimitLoginFree, LimitLoginStop), "delay earlier, or stop later")
	}
}

// readPlainLimit reads a number, or off.
func readPlainLimit(n *config.Node) []Rate {
	if n.IsText() && n.Str() == limitOff {
		return nil
	}
	if n.IsText() {
		n.Fault("this is no number of a budget without a time", "write a number, like 5, or off")
		return nil
	}
	return []Rate{{Count: int(n.Int(1, mostCount))}}
}

// readRates reads one rate, a list of rates with different windows, or off.
func readRates(n *config.Node) []Rate {
	if !n.IsSequence() {
		if n.IsText() && n.Str() == limitOff {
			return nil
		}
		return readRate(n, nil)
	}
	var rates []Rate
	list := n.Sequence()
	if len(list) == 0 || len(list) > mostWindows {
		n.Fault(fmt.Sprintf("a budget has 1 to %d rates", mostWindows), rateFix)
		return nil
	}
	for _, one := range list {
		rates = readRate(one, rates)
	}
	return rates
}

// readRate reads a rate and appends it to those that the budget has already.
func readRate(n *config.Node, rates []Rate) []Rate {
	rate, ok := Rate{}, false
	text := ""
	if n.IsText() {
		text = n.Str()
		rate, ok = parseRate(text)
	}
	switch {
	case !n.IsText():
		n.Fault("this is no budget", rateFix)
	case !ok:
		n.Fault(fmt.Sprintf("%q is no budget: it has 1 to %d in 1s to %dh", shortText(text), mostCount, int(longWindow.Hours())), rateFix)
	case slices.ContainsFunc(rates, func(r Rate) bool { return r.Window == rate.Window }):
		n.Fault("the budget has this window twice", "keep one of them")
	default:
		rates = append(rates, rate)
	}
	return rates
}

func shortText(s string) string {
	if len(s) > 40 {
		return strings.ToValidUTF8(s[:40], "") + "…"
	}
	return s
}
