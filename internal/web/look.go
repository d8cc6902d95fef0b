package web

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/html"

	"github.com/narthex/narthex/internal/texts"
)

// action matches a template's action; what stands between the braces is no HTML.
var action = regexp.MustCompile(`(?s)\{\{.*?\}\}`)

// checkSource finds in a theme's template what browsers would not run or load under the pages' policy.
func (d *dressing) checkSource(name, source string) {
	plain := action.ReplaceAllStringFunc(source, func(a string) string { return "x" + strings.Repeat("\n", strings.Count(a, "\n")) })
	line := 1
	for z := html.NewTokenizer(strings.NewReader(plain)); ; {
		kind := z.Next()
		if kind == html.ErrorToken {
			return
		}
		at := line
		line += bytes.Count(z.Raw(), []byte("\n"))
		if kind != html.StartTagToken && kind != html.SelfClosingTagToken {
			continue
		}
		for _, problem := range refused(z.Token()) {
			d.fault(name, at, problem, "the pages' policy allows files of this site only, and no scripts: put styles into style.css and files under static/")
		}
	}
}

// refused lists what the policy forbids in a tag.
func refused(t html.Token) (problems []string) {
	if slices.Contains([]string{"script", "style", "iframe", "frame", "object", "embed", "base", "video", "audio"}, t.Data) {
		problems = append(problems, fmt.Sprintf("<%s> has no effect in these pages", t.Data))
	}
	for _, a := range t.Attr {
		address := strings.ToLower(strings.TrimSpace(a.Val))
		elsewhere := strings.HasPrefix(address, "//") || strings.HasPrefix(address, "http:") || strings.HasPrefix(address, "https:")
		switch {
		case a.Key == "style", a.Key == "srcdoc":
			problems = append(problems, fmt.Sprintf("the attribute %s has no effect in these pages", a.Key))
		case strings.HasPrefix(a.Key, "on") && regexpOfHandler.MatchString(a.Key):
			problems = append(problems, fmt.Sprintf("the attribute %s has no effect in these pages", a.Key))
		case strings.HasPrefix(address, "javascript:"):
			problems = append(problems, fmt.Sprintf("the %s is a script", a.Key))
		case (elsewhere || strings.HasPrefix(address, "data:")) && (a.Key == "src" || a.Key == "srcset" || a.Key == "href" && t.Data == "link"):
			problems = append(problems, fmt.Sprintf("the %s of <%s> is not loaded from elsewhere", a.Key, t.Data))
		case elsewhere && (a.Key == "action" || a.Key == "formaction"):
			problems = append(problems, "a form can be sent to this site only")
		}
	}
	return problems
}

var regexpOfHandler = regexp.MustCompile(`^on[a-z]+$`)

// prepare renders every template once, so that nothing is left to do at the first request.
func (d *dressing) prepare() {
	seen := map[string]bool{}
	t := wordsOf(d.texts, texts.English)
	for _, s := range d.samples(t) {
		if !seen[s.template] {
			d.lookAt(s, t)
		}
		seen[s.template] = true
	}
}

// lookAtEveryPage renders every page in every state and language, and looks at what comes out.
func (d *dressing) lookAtEveryPage() {
	for _, locale := range d.texts.Locales() {
		var missing []string
		t := wordsOf(d.texts, locale)
		t.missing = &missing
		for _, s := range d.samples(t) {
			d.lookAt(s, t)
		}
		slices.Sort(missing)
		for _, id := range slices.Compact(missing) {
			d.fault(d.where(""), 0, fmt.Sprintf("there is no text %q", id), "use one of the built-in texts")
		}
	}
}

// where names the template to blame: the theme's own of this name, else all that it has.
func (d *dressing) where(template string) string {
	if slices.Contains(d.names, pagesFolder+template) {
		return pagesFolder + template
	}
	return d.themed()
}

func (d *dressing) lookAt(s sample, t words) {
	var page bounded
	if err := d.templates.ExecuteTemplate(&page, s.template, s.data); err != nil {
		if errors.Is(err, errPageTooLong) {
			d.fault(d.where(s.template), 0, errPageTooLong.Error(), "look for a range that never ends")
			return
		}
		d.templateFault(err)
		return
	}
	root, err := html.Parse(bytes.NewReader(page.Bytes()))
	if err != nil {
		d.fault(d.where(s.template), 0, "the page is no HTML: "+err.Error(), "compare it with the built-in template of this name")
		return
	}
	if strings.Contains(page.String(), "&lt;no value&gt;") {
		d.fault(d.where(s.template), 0, "a text has a place for a value that is not given", "give With the values by name, as the built-in template does")
	}
	d.judge(s, t, root)
}

// judge tells what a page lacks without which nobody could use it.
func (d *dressing) judge(s sample, t words, root *html.Node) {
	fault := func(problem, fix string) { d.fault(d.where(s.template), 0, problem, fix) }
	labels, names, actions, titled := map[string]bool{}, map[string]string{}, map[string]bool{}, false
	for n := range root.Descendants() {
		switch {
		case n.Type != html.ElementNode:
		case n.Data == "html" && attribute(n, "lang") != t.Lang:
			fault("the page does not say its language", `write <html lang="{{.T.Lang}}" dir="{{.T.Dir}}">`)
		case n.Data == "title":
			titled = n.FirstChild != nil && strings.TrimSpace(n.FirstChild.Data) != ""
		case n.Data == "label":
			labels[attribute(n, "for")] = true
		case n.Data == "form":
			actions[attribute(n, "action")] = attribute(n, "method") == "post" || actions[attribute(n, "action")]
		case n.Data == "input" && attribute(n, "type") != "hidden", n.Data == "select":
			names[attribute(n, "name")] = attribute(n, "id")
		}
	}
	if !titled {
		fault("the page has no title", "write <title>{{.Title}}</title> into its head")
	}
	for _, name := range s.fields {
		if id, there := names[name]; !there {
			fault(fmt.Sprintf("the page has no field for %q", name), `write {{range .Fields}}{{template "field" .}}{{end}} into its form`)
		} else if !labels[id] {
			fault(fmt.Sprintf("the field %q has no label", name), `write <label for="{{.ID}}">{{.Label}}</label>`)
		}
	}
	for _, a := range s.actions {
		if !actions[a] {
			fault(fmt.Sprintf("the page has no form that is posted to %s", a), "keep the forms of the built-in template")
		}
	}
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}
