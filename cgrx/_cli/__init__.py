"""The command line: `cgrx demo`, `watch`, `record`, `replay`, `import` and `simulate`.

May import `_model`, `_wire`, `_streams`, `operators`, `_feed`, `_simulator`, `_cli.terminal`, `_cli.view`,
`_cli.commands`.

Read `app` first, the commands and their help, and `arguments`, their types. `commands` does the work, `view` shows
events and rows, `terminal` is what both write to. Imports go in that order: app, commands, view, terminal.
"""
