"""The command line: `demo`, `watch`, `replay`, `alert`, `board`, `record`, `publish`, `import`, `compact` and more.

May import `engines`, `operators`, `cgrx`, `testing`, `_cli.terminal`, `_cli.view`, `_cli.commands`. Of the library that
is the public names alone, for what a command does, a program of a user can do too; and the colours of the charts.

Read `app` first, the commands with their help, `showing` and `alerting`, those that show a stream, `boarding`, which
shows a page, and `keeping`, what is done with recordings; then `options`, those that several commands share,
`window_options`, those of rows, `engine_options`, those of who computes them, `alert_options`, `board_options`, and
`arguments` and `targets`, what the texts on a command line mean. `config` reads options from a file, `toml` says on
which line they stand, `completion` tells shells what there is. `commands` does the work, `view` shows events and rows,
`terminal` is where both write. Imports go in that order.
"""
