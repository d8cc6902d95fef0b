package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/narthex/narthex/internal/message"
	"github.com/narthex/narthex/internal/web"
)

// openTheme opens the operator's theme; nil when there is none. Nothing outside its folder can be reached through it,
// whatever links are in it.
func openTheme(dir string) (theme fs.FS, undo func() error, err error) {
	if dir == "" {
		return nil, func() error { return nil }, nil
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, nil, fmt.Errorf("NARTHEX_THEME_DIR: %w", err)
	}
	return root.FS(), root.Close, nil
}

// checkTheme tells everything that is wrong with a theme. A folder that cannot be read is told with the settings.
func checkTheme(dir string) error {
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil
	}
	theme, undo, err := openTheme(dir)
	if err != nil || theme == nil {
		return err
	}
	return errors.Join(inTheme(dir, errors.Join(web.CheckTheme(theme), message.CheckTheme(theme))), undo())
}

// inTheme says which theme an error is about: its faults name files within it.
func inTheme(dir string, err error) error {
	if err == nil || dir == "" {
		return err
	}
	return fmt.Errorf("the theme in %s:\n%w", dir, err)
}

// openTheme opens the theme for as long as the sidecar runs.
func (s *sidecar) openTheme() error {
	theme, undo, err := openTheme(s.settings.ThemeDir)
	if err != nil {
		return err
	}
	s.theme = theme
	s.opened(undo)
	return nil
}
