package httpapi

import "testing"

func TestEveryLanguageHasEveryText(t *testing.T) {
	for i, own := range translation {
		for code := range statuses {
			if own.titles[code] == "" {
				t.Errorf("%s has no title for %s", languages[i], code)
			}
		}
		for d := detailNone + 1; d <= detailSize; d++ {
			if own.details[d] == "" {
				t.Errorf("%s has no text for detail %d", languages[i], d)
			}
		}
		if len(own.titles) != len(statuses) || own.at == "" {
			t.Errorf("%s has %d titles for %d codes", languages[i], len(own.titles), len(statuses))
		}
	}
}
