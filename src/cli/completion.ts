import { commandGroups, commandWords, optionsOf, type CommandName } from "./commands.ts";
import type { Dialect, Shell } from "./dialect.ts";
import { COMPLETION_TOKEN } from "./grammar.ts";
import { summaryOf } from "./help.ts";
import { options, spellings, withDashes, type OptionName } from "./options.ts";
import { isOptionLike, scan, spellingTable, type SpellingTable } from "./scan.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** The variable with which a script asks for `NAME:DESCRIPTION`. */
const WITH_DESCRIPTIONS = "_CLI_ZSH_AUTOCOMPLETE_HACK";

/**
 * What could come next, one candidate a line (cli-behaviour.md 1.5): options if the last token begins with a dash,
 * otherwise commands, or the words of `groups` and `completion`; nothing where a file is expected.
 *
 * @param tokens - the command line so far, without the program and without the token that asks
 */
export function candidates(tokens: readonly string[], env: Environment, dialect: Dialect): string {
  const lines = listCandidates(tokens, env[WITH_DESCRIPTIONS] === "1", dialect);
  return lines.map((line) => `${line}\n`).join("");
}

function listCandidates(tokens: readonly string[], isDescribed: boolean, dialect: Dialect): readonly string[] {
  const words = wordsOf(tokens);
  const command = commandOf(words);
  const last = tokens.at(-1) ?? "";
  if (isOptionLike(last) || last === "-") {
    const choices = choicesOf(last, command);
    if (choices !== undefined) return choices;
    const globals = command === undefined || dialect.completesGlobals ? optionsOf("legacy") : [];
    const names = [...globals, ...(command === undefined ? [] : optionsOf(command))];
    return names.flatMap((name) => optionCandidates(name, last, tokens));
  }
  if (command !== undefined) return [];
  const [group] = words;
  if (group === "groups" || group === "completion") {
    const known = commandGroups[group].words.filter(
      (word) => group === "groups" || dialect.shells.includes(word as Shell),
    );
    return words.length === 1 ? [...known, "help", "h"] : [];
  }
  return [...commandWords.map((word) => [word, summaryOf(word)] as const), ["h", summaryOf("help")] as const].map(
    ([word, summary]) => (isDescribed ? `${word}:${summary}` : word),
  );
}

/** The tokens from the command on. */
function wordsOf(tokens: readonly string[]): readonly string[] {
  const rules = { stopsAtOperand: true, takesUnknownOperands: false, bundlesLetters: false };
  return scan(tokens, globalTable(), rules).rest;
}

function globalTable(): SpellingTable {
  return spellingTable(optionsOf("legacy"));
}

function commandOf([word = "", subWord]: readonly string[]): CommandName | undefined {
  if (word === "groups") return subWord === "add" || subWord === "delete" ? `groups ${subWord}` : undefined;
  const isCommand = (commandWords as readonly string[]).includes(word) && word !== "completion" && word !== "help";
  return isCommand ? (word as CommandName) : undefined;
}

/** The words an option takes, when the line ends with one that takes only a few. */
function choicesOf(token: string, command: CommandName | undefined): readonly string[] | undefined {
  const table = command === undefined ? globalTable() : spellingTable(optionsOf(command));
  const name = table.get(token.replace(/^--?/u, ""));
  const spec = name === undefined ? undefined : options[name];
  return spec?.kind === "choice" ? spec.choices : undefined;
}

/** The spellings that continue a token; not the token itself, none that is on the line, no letters after two dashes. */
function optionCandidates(name: OptionName, token: string, tokens: readonly string[]): readonly string[] {
  const start = token.replace(/^--?/u, "");
  return spellings(name)
    .filter((spelling) => spelling.startsWith(start) && spelling !== start)
    .filter((spelling) => spelling.length > 1 || !token.startsWith("--"))
    .map(withDashes)
    .filter((spelling) => !tokens.includes(spelling));
}

/** A script that makes a shell ask the program for candidates. */
export function completionScript(shell: Shell, program: string): string {
  return scripts[shell](program);
}

const scripts: Readonly<Record<Shell, (program: string) => string>> = {
  bash: (program) => `
#! /bin/bash

_cli_bash_autocomplete() {
  local word="\${COMP_WORDS[COMP_CWORD]}" IFS=$'\\n'
  local -a line=("\${COMP_WORDS[@]:0:COMP_CWORD}")
  if [[ "$word" == -* ]]; then line+=("$word"); fi
  COMPREPLY=($(compgen -W "$("\${line[@]}" ${COMPLETION_TOKEN} 2>/dev/null)" -- "$word"))
}
complete -o bashdefault -o default -o nospace -F _cli_bash_autocomplete ${program}
`,
  zsh: (program) => `
#compdef ${program}

_cli_zsh_autocomplete() {
  local word=\${words[CURRENT]}
  local -a line found
  line=("\${(@)words[1,CURRENT-1]}")
  if [[ $word == -* ]]; then line+=("$word"); fi
  found=("\${(@f)$(${WITH_DESCRIPTIONS}=1 "\${line[@]}" ${COMPLETION_TOKEN} 2>/dev/null)}")
  if [[ -n \${found[1]} ]]; then _describe 'values' found; else _files; fi
}

compdef _cli_zsh_autocomplete ${program}
`,
  fish: (program) => `function __${program}_candidates
    set -l line (commandline -opc)
    set -l word (commandline -ct)
    if string match -q -- '-*' "$word"
        set -a line "$word"
    end
    ${WITH_DESCRIPTIONS}=1 $line ${COMPLETION_TOKEN} 2>/dev/null | string replace ':' \\t
end
complete -c ${program} -a '(__${program}_candidates)'
`,
  powershell: (program) => `Register-ArgumentCompleter -Native -CommandName ${program} -ScriptBlock {
    param($word, $ast, $position)
    $line = @($ast.CommandElements | ForEach-Object { $_.ToString() })
    if ($word -ne '' -and $word -notlike '-*') { $line = @($line | Select-Object -SkipLast 1) }
    $rest = @($line | Select-Object -Skip 1)
    & $line[0] @rest ${COMPLETION_TOKEN} 2>$null | Where-Object { $_ -like "$word*" } | ForEach-Object {
        [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
    }
}
`,
};
