"""The quiz: cards for the terminal, the book and Anki, and a memory that knows what to ask next.

Standard library and fsrs only. This module imports nothing, and the package above it imports no torch.

**Cards.** A deck is Markdown (quizzes/README.md); these rooms read it and mark answers:

    deck.load(paths) -> Deck(cards, aliases, problems, lines); .find(id) knows old ids; content never raises
    cards.Card                      plain data: texts as Markdown with TeX, a body by kind, points, ...
    cards.to_json(card)             the same as dicts and lists, for cards.json
    asked.ask(card, seed) -> Asked  values drawn, options and steps shuffled: what is shown
    answers.score(asked, text) -> Score(must, share, met, verdict, spans, slip, flags, understood, sure)
    answers.marked(card, met)       the same Score from points ticked by hand
    latex.in_text(markdown)         formulas as Unicode; latex.render(tex) for one of them
    latex.plain.to_ascii(text)      for terminals whose encoding has no Greek
    text.clean, text.width          control codes made harmless; columns on the terminal
    check.check_deck(paths), check.askable(deck), check.main(argv)

A session asks like this:

    asked = ask(card, seed)                       keep the seed with the answer: it brings the numbers back
    print(clean(in_text(asked.prompt)))           then asked.options or asked.steps as a) b) c)
    result = score(asked, typed)
    if not result.understood: ask again           a typing slip is no wrong answer
    if not result.sure: show result.met, let the person correct it, result = marked(card, corrected)
    memory.rating(result.must, result.share, late)

Follow-ups: of card.follow_ups take those whose `missed` is a missed point's number (from 1), 0 if any was
missed, None if none was; then the `to` of each red flag in result.flags.

Decks that did not come with the package go through `check.askable` first. After that, `ask` and `score` raise
nothing; before, a faulty card may raise ValueError.

**Memory and store.** clock, memory, store and their neighbours: see the head of each.

**The terminal.** `cli.main(argv)` imports the mode that is asked for; the modes are rooms of `modes`.

    library.library() -> Library            the package's cards, each read in full when asked; own decks
    desk.at_desk(plain) -> Desk             screen, keyboard, store, library and clock of this process
    terminal, layout, screens, afterwards   what is printed: appended lines, Markdown and TeX by columns
    reading, keys, asking, marking          what is typed: lines, drafts, hints, answers, ticked points
    session, queues, answered               a run of questions: each answer saved, every key obeyed
    sittings, report                        a run begun or continued; how it went
    interview, outlook                      which question a mock interview asks next; what a plan comes to
    options, spoken                         a mode's options; days, times and shares in words
    judge, second                           a language model's opinion on typed answers, if a server is named
    notes, install, files                   cards for Anki; a store put in another's place; deck files
"""
