package flow_test

import (
	"context"
	"testing"
	"testing/fstest"

	"github.com/narthex/narthex/internal/flow"
	"github.com/narthex/narthex/internal/texts"
)

func TestALanguageChosenOnTheWayIsKept(t *testing.T) {
	w := newWorld(t, "")
	p := w.begin()
	german := flow.WithLocale(context.Background(), "de")
	r, err := w.Show(german, p.token)
	w.must(err)
	if r.Locale != "de" || r.Title != "Konto erstellen" || r.Step.Fields[1].Label != "Vorname" {
		t.Errorf("shown in %s: %s, %s", r.Locale, r.Title, r.Step.Fields[1].Label)
	}
	if r := p.show(); r.Locale != "en" {
		t.Error("looking at a registration changed it")
	}
	_, err = w.Answer(german, p.token, "about-you", answerOf(items(object{"email": "ada", "given_name": "Ada", "family_name": "L"})))
	if problem := w.problem(err, flow.CodeInvalidInput); problem.Violations[0].Message != "Bitte geben Sie eine E-Mail-Adresse wie name@example.org ein." {
		t.Errorf("the violation is %q", problem.Violations[0].Message)
	}
	_, err = w.Answer(german, p.token, "about-you", answerOf(aboutYou(ada)))
	w.must(err)
	if r := p.show(); r.Locale != "de" || w.mail.locale != "de" {
		t.Errorf("the registration is held in %s, the mail was written in %s", r.Locale, w.mail.locale)
	}
}

func TestThemesTextsReplaceTheEngines(t *testing.T) {
	theme := fstest.MapFS{
		"texts/de.yaml": {Data: []byte("label_email: Dienstliche Adresse\n")},
		"texts/fr.yaml": {Data: []byte("language_name: français\nlabel_email: Adresse électronique\n")},
	}
	w := newWorld(t, "", func(c *flow.Config) { c.Theme = theme })
	for locale, want := range map[string]string{"de-CH": "Dienstliche Adresse", "fr": "Adresse électronique", "en": "Email address"} {
		r, err := w.Start(context.Background(), flow.StartRequest{Locale: locale})
		w.must(err)
		if got := r.Step.Fields[0].Label; got != want {
			t.Errorf("%s: %q", locale, got)
		}
	}
}

func TestEveryLanguageSaysTheSame(t *testing.T) {
	if err := texts.Compare(flow.TextFiles()); err != nil {
		t.Error(err)
	}
}
