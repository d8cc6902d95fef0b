package web

import (
	"context"
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"
	"golang.org/x/text/language"

	"github.com/narthex/narthex/internal/flow"
	"github.com/narthex/narthex/internal/httpapi/guard"
)

// choice is a language that the page can be had in, as its button shows it.
type choice struct {
	Lang, Name string
	Current    bool
}

// chosen returns the language that the person chose by a button, or "". The cookie holds a language's tag and nothing
// else; whatever it holds that is no language of ours counts for nothing.
func (p *Pages) chosen(r *http.Request) string {
	c, err := r.Cookie(p.languageCookie)
	if err != nil || !p.texts.Has(c.Value) {
		return ""
	}
	return c.Value
}

// words returns the words of a page: in the language that the person chose, else in the registration's, else in the
// one that the browser wishes.
func (p *Pages) words(r *http.Request, registration string) words {
	locale, _ := p.texts.Match(p.chosen(r), registration, guard.LanguageWish(r))
	return wordsOf(p.texts, locale)
}

// engineWish is the language to ask the engine for, so that its texts fit the page: what the browser wishes, where that
// is a region of the page's language, since the flows file may have texts for it; else the page's language.
func (p *Pages) engineWish(r *http.Request) string {
	shown := p.words(r, "").Lang
	if p.chosen(r) != "" {
		return shown
	}
	page, _ := language.Make(shown).Base()
	wishes, _, _ := language.ParseAcceptLanguage(guard.LanguageWish(r))
	for _, wish := range wishes {
		if base, _ := wish.Base(); base == page {
			return wish.String()
		}
	}
	return shown
}

// context is what calls of the engine get: an explicit choice holds for what the engine says and sends, too.
func (p *Pages) context(r *http.Request) context.Context {
	if chosen := p.chosen(r); chosen != "" {
		return flow.WithLocale(r.Context(), chosen)
	}
	return r.Context()
}

// choices lists the languages, when there is more than one.
func (p *Pages) choices(current string) []choice {
	locales := p.texts.Locales()
	if len(locales) < 2 {
		return nil
	}
	all := make([]choice, len(locales))
	for i, l := range locales {
		all[i] = choice{Lang: l, Name: p.texts.Say(l, "language_name", nil, nil), Current: l == current}
	}
	return all
}

// choose keeps a language for the length of the browser's session, and leads back to the flow.
func (p *Pages) choose(c *gin.Context, _ flow.Token) {
	if wish := c.Request.PostForm.Get("language"); p.texts.Has(wish) {
		http.SetCookie(c.Writer, &http.Cookie{ //nolint:gosec // Secure follows the public URL; over http on loopback it cannot be
			Name: p.languageCookie, Value: wish, Path: "/", Secure: p.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode,
		})
	}
	target := "/register"
	if name := c.Param("flow"); name != "" {
		target += "/" + url.PathEscape(name)
	}
	if back := c.Request.PostForm.Get("return_to"); back != "" {
		target += "?return_to=" + url.QueryEscape(back)
	}
	c.Redirect(http.StatusSeeOther, target)
}
