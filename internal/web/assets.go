package web

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
)

//go:embed assets/*
var assetFiles embed.FS

// assets are the files that pages refer to: the style sheet, the icon, and what the theme has under static/. All stand
// below one folder, whose name changes with the content of any of them: browsers may keep them for ever, and a style
// sheet can name its pictures by relative paths.
type assets struct {
	folder string
	files  map[string]asset // by name: "style.css", "static/logo.svg"
}

type asset struct {
	contentType string
	content     []byte
}

func (a *assets) path(name string) string { return "/assets/" + a.folder + "/" + name }

// mediaTypes are the files that a theme may have, by the end of their names. None of them can run in a page.
var mediaTypes = map[string]string{
	".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg",
	".gif": "image/gif", ".webp": "image/webp", ".avif": "image/avif", ".ico": "image/x-icon", ".woff": "font/woff", ".woff2": "font/woff2",
}

// maxAssets bounds the bytes of all files together, because they are kept in memory.
const maxAssets = 8 << 20

// readAssets reads the built-in files, and the theme's over them.
func (d *dressing) readAssets() {
	d.assets = &assets{files: map[string]asset{}}
	for _, name := range []string{"style.css", "icon.svg"} {
		content, err := assetFiles.ReadFile("assets/" + name)
		if own, there := d.read(name); there {
			content, err = own, nil
		}
		if err != nil {
			d.fault(name, 0, "the file cannot be read", "")
		}
		d.assets.files[name] = asset{mediaTypes[path.Ext(name)], content}
	}
	total := 0
	for _, name := range d.below(staticFolder) {
		kind, known := mediaTypes[strings.ToLower(path.Ext(name))]
		if !known {
			d.fault(name, 0, "files of this kind are not served", "remove it; these are: "+strings.Join(slices.Sorted(maps.Keys(mediaTypes)), " "))
			continue
		}
		if content, there := d.read(name); there {
			d.assets.files[name] = asset{kind, content}
			total += len(content)
		}
	}
	if total > maxAssets {
		d.fault("static", 0, fmt.Sprintf("the files have more than %d bytes together", maxAssets), "make them smaller: a page should load in a moment")
	}
	for name, a := range d.assets.files {
		if path.Ext(name) == ".css" {
			d.checkStyle(name, string(a.content))
		}
	}
	d.assets.folder = d.assets.fingerprint()
}

// fingerprint names the content of all files.
func (a *assets) fingerprint() string {
	h := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(a.files)) {
		fmt.Fprintf(h, "%s %x\n", name, sha256.Sum256(a.files[name].content))
	}
	return hex.EncodeToString(h.Sum(nil)[:6])
}

var loadsElsewhere = regexp.MustCompile(`(?i)(?:url\(\s*["']?|@import\s+["'])\s*(?:[a-z][a-z0-9+.-]*:|//)`)

// checkStyle finds what browsers would not load: the policy allows files of this site only.
func (d *dressing) checkStyle(name, content string) {
	for i, line := range strings.Split(content, "\n") {
		if loadsElsewhere.MatchString(line) {
			d.fault(name, i+1, "this loads something that the pages' policy does not allow", "put the file under static/ and name it by a relative path, like url(static/logo.svg)")
		}
	}
}
