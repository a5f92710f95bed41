"""The command line: `cgrx demo`, `watch`, `replay`, `alert`, `record`, `import`, `simulate` and `completion`.

May import `operators`, `cgrx`, `testing`, `_cli.terminal`, `_cli.view`, `_cli.commands`. Of the library that is the
public names alone: what a command does, a program of a user can do too.

Read `app` first, the commands with their help, and `showing` and `alerting`, those that show a stream; then `options`,
those that several commands share, `window_options`, those of rows, `alert_options`, and `arguments` and `targets`, what
the texts on a command line mean. `config` reads options from a file, `toml` says on which line they stand, `completion`
tells shells what there is. `commands` does the work, `view` shows events and
rows, `terminal` is where both write. Imports go in that order.
"""
