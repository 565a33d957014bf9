"""Says in the reader's language what a service refused.

Services speak English sentences, as the command line needs them. Here each one is known by its pattern; a test
looks into the services for sentences that are missing.
"""

import re
from typing import Final

from app.desk import health_words, import_refusals, list_refusals
from app.desk.languages import gettext as _
from app.schemas import N_

PATTERNS: Final[tuple[str, ...]] = (
    N_("Nobody in this part of the lists can be reached now."),
    N_("Somebody else changed this segment in the meantime. Load it again, then make your change."),
    N_("“%(name)s” is part of a list that this broadcast does not go to."),
    N_(
        "“%(title)s” is scheduled, and was approved for the people of this segment. "
        "Take it back to draft before you change the rule."
    ),
    N_("A correction goes to those who got the wrong message, and to nobody else."),
    N_("A segment needs a name of 1 to %(most)s characters."),
    N_("There is a segment “%(name)s” of this list already. Choose another name."),
    N_("There is no such segment."),
    N_("A template needs a name of 1 to %(most)s characters."),
    N_("There is a template “%(name)s” already. Choose another name."),
    N_("There is no such template."),
    N_("There is no template “%(name)s”. There are: %(there)s."),
    N_("“%(title)s” has no buttons, so nobody answers it by one."),
    N_("“%(title)s” has no button “%(label)s”. Its buttons: %(there)s."),
    N_("Nobody knows who opened a link of “%(title)s”: it is kept only where a list's notice says so."),
    N_("“%(title)s” has no link %(link)s. Its links: %(there)s"),
    N_("There is no such list."),
    N_("Add at least one condition; without any it is the whole list."),
    N_("A segment has at most %(most)s conditions, not %(n)s."),
    N_("Choose at least one."),
    N_("Choose at most %(most)s."),
    N_("“%(value)s” cannot be chosen here; write for example %(example)s."),
    N_("“%(value)s” is no day; write for example 2026-05-01."),
    N_("Choose a day from %(first)s to %(last)s."),
    N_("“%(value)s” is no whole number."),
    N_("Write a number from 1 to %(most)s."),
    N_("Repeat every 1 to %(most)s days, weeks or months."),
    N_("Weekdays belong to a rule by weeks. Choose weeks, or no weekday."),
    N_("Choose days from Monday to Sunday."),
    N_("Choose a day before %(year)s."),
    N_("Give a last day or a number of times, not both."),
    N_("Give a number of times from 1 to %(most)s."),
    N_("The rule would end before it first goes out. Choose a later end."),
    N_("The first time of this rule is in the past. Choose a later one."),
    N_("This rule never goes out within the hours promised to subscribers (%(promises)s)."),
    N_("This rule is %(state)s; it cannot be paused."),
    N_("This rule is ended already."),
    N_("This rule is %(state)s, not paused."),
    N_("This rule has nothing to come at that time."),
    N_("That one can no longer be left out."),
    N_("There is nothing to take back at that time."),
    N_("There is no rule %(id)s."),
    N_(
        "The words shown when people join “%(name)s” do not say that clicks are kept. "
        "Write a notice with: %(wanted)s"
    ),
    N_("The draft of this rule was discarded. End the rule, or let another draft repeat."),
    N_("Give the broadcast a title; it is for your team and is not sent."),
    N_("The title has %(n)s characters; it may have 120."),
    N_("The text has %(n)s characters; an SMS carries %(most)s at most."),
    N_("This broadcast does not wait to be taken back; it goes at its time, or has gone."),
    N_("A live event cannot wait for a second person."),
    N_("A second person must approve what goes to %(lists)s. Ask for it on the review."),
    N_("A second person must approve what goes to %(lists)s. They were asked; it waits for their yes."),
    N_("You wrote this, or asked for the yes yourself: a second person must give it."),
    N_("This broadcast is %(state)s; only a draft is approved."),
    N_("None of these lists asks for a second person."),
    N_(
        "The template %(name)s may not be sent now, says the platform: %(why)s. "
        "Name another template, or wait until it is approved again."
    ),
    N_("The template %(name)s may not be sent now, says the platform: %(why)s"),
    N_("The platform closed this account to us: %(why)s"),
    N_("The text is empty."),
    N_("Describe the picture in words: people who cannot see it get them instead."),
    N_("The description has %(n)s characters; it may have %(most)s."),
    N_("The file is empty."),
    N_("The file has %(size)s MB; it may have %(most)s."),
    N_(
        "No messenger carries this file. "
        "Take a JPEG, PNG or GIF picture, an MP3 or M4A sound, an MP4 film or a PDF."
    ),
    N_("This file is damaged: it does not go on as it begins."),
    N_("There is no such file."),
    N_("The platform did not take the file: %(why)s"),
    N_("A comment has 1 to %(most)s characters."),
    N_("Only drafts have comments."),
    N_("There is no such comment."),
    N_("This broadcast is %(state)s; only one that has not begun can be rehearsed."),
    N_("You have %(n)s addresses for tests. Remove one of them first."),
    N_("This broadcast is %(state)s; only one that has not begun can be tried out."),
    N_("There are no words to try out. Write the text and save it first."),
    N_("Choose a list and save the draft first: a test goes out of the sender of its lists."),
    N_("Choose at least one tester."),
    N_("There is no such address for tests."),
    N_("“%(name)s” has no proved address for tests. Testers: %(there)s."),
    N_("The lists of this draft do not go out there."),
    N_("The sender is paused."),
    N_("The platform counts each test as one of the few broadcasts of a month."),
    N_("A rehearsal is going on. Wait for its report, then ask for the next one."),
    N_("A rehearsal needs a text and at least one list."),
    N_("A broadcast with a link for each person that moves them cannot be rehearsed."),
    N_("Nobody is on these lists, so there is nothing to rehearse."),
    N_("The rehearsal broke off: %(why)s"),
    N_("A file of this broadcast is not where it should be. Upload it again."),
    N_("“%(name)s” is a live event; its messages are written on its own page."),
    N_("There is no live event %(id)s."),
    N_("There is no live event “%(name)s”. Events: %(there)s."),
    N_("This end is in the past. Choose a later one."),
    N_("An event ends after it begins, and within %(n)s days."),
    N_("An event promises 1 to %(most)s messages, not %(n)s."),
    N_("A message is of use for 1 to %(most)s minutes, not %(n)s."),
    N_("People are erased 1 to %(most)s days later, not %(n)s."),
    N_("This form has no number of its own. Load the page again."),
    N_("Nothing was said yet, so there is nothing to correct."),
    N_("This event is over, and with it the consent of its people."),
    N_("This event has not begun. It begins at %(when)s UTC."),
    N_("People were promised at most %(n)s messages, and this would be one more."),
    N_("Buttons: there are %(n)s; a message has %(most)s at most."),
    N_("Button %(n)s: a label has 1 to %(most)s characters."),
    N_("Button %(n)s: a label is plain words on one line, without braces."),
    N_("Button %(n)s: a label that is a number reads like the number of an answer; write a word."),
    N_("Button %(n)s: a link begins with https:// and has %(most)s characters at most."),
    N_("Button %(n)s: the word has too many characters."),
    N_("Button %(n)s: the label “%(label)s” is there twice."),
    N_(
        "Button %(n)s: “%(word)s” is no word that people can text. Write STOP, HELP, PAUSE, START or "
        "the word of a list."
    ),
    N_("Template: its name is letters, digits and _, such as weekly_news."),
    N_("Template: its language is a code such as en or en_US."),
    N_("Template: it may have %(n)s variables."),
    N_("Variable %(n)s of the template: %(fault)s"),
    N_(
        "Left out on %(channel)s, for they wrote too long ago for free text: %(n)s. Name a template that the "
        "platform approved, and they get it, too."
    ),
    N_("This story is %(state)s; it is no longer in the queue."),
    N_("Somebody else saved this story in the meantime. Load it again, then make your change."),
    N_("This story would be of no use already: its end is in the past."),
    N_("“%(name)s” promised messages between %(from_hour)s and %(until_hour)s h only."),
    N_("“%(name)s” promised at most %(n)s messages a day."),
    N_("Say in 1 to %(most)s characters why this cannot wait; whoever is to let it go reads it."),
    N_("Nobody has asked to send this story at once."),
    N_("This story is of no use any more: its end has passed."),
    N_("Stories waited, but they were held."),
    N_("Stories waited, but no second person had said yes to them."),
    N_("Stories waited, but they were held, or no second person had said yes to them."),
    N_("A second person must say yes; you asked for it yourself."),
    N_("This draft was changed since you read it. Read it again."),
    N_("This story was changed since you read it. Read it again."),
    N_("Write the address of a feed in full: https://news.example.org/feed.xml"),
    N_("The address may hold no name and password; they would be shown on this page."),
    N_("The text needs one of {{title}}, {{summary}} and {{link}}."),
    N_("The text has %(n)s characters; it may have %(most)s."),
    N_("%(fault)s Of the item there are {{title}}, {{summary}} and {{link}}."),
    N_("A message of a feed has 1 to %(most)s parts, not %(n)s."),
    N_("A feed is asked every %(least)s to %(most)s minutes, not every %(n)s."),
    N_("This list has this feed already."),
    N_("A list has at most %(n)s feeds. Remove one first."),
    N_("There is no such feed."),
    N_("This feed is paused. Let it go on first."),
    N_("No item of this feed was seen yet."),
    N_("The newest item was taken already."),
    N_("The link and the words around it need %(n)s parts; there may be %(most)s."),
    N_("None of the %(n)s items has an id or a link, so each would come again and again."),
    N_("The answer is empty."),
    N_("This is a web page and no feed. Look on it for a link called RSS, Atom or feed."),
    N_("The document begins with <%(name)s>; RSS 2.0 begins with <rss>, Atom with <feed>."),
    N_("The feed has no <channel>, which holds the items of RSS 2.0."),
    N_("The feed declares a document type (<!DOCTYPE %(name)s>), which is not safe to read."),
    N_("More than %(n)s elements lie within each other, the last of them <%(name)s>."),
    N_("Line %(line)s, column %(column)s: the XML is broken (%(why)s)."),
    N_("Line %(line)s, column %(column)s: the JSON is broken (%(why)s)."),
    N_("The JSON holds what no feed has: too many levels, or a number without end."),
    N_("This JSON is no feed: its “version” has to begin with %(version)s"),
    N_("Line %(line)s, byte %(byte)s: this is not %(charset)s, which the feed says it is written in."),
    N_("The feed says it is written in “%(charset)s”, which is no character set known here."),
    N_("The address does not lead to the public internet, and nothing else is asked."),
    N_("There is no such host."),
    N_("The host takes no connections."),
    N_("The answer is larger than %(n)s MB."),
    N_("There was no answer within %(n)s seconds."),
    N_("The host does not speak TLS as it should."),
    N_("The certificate of the host is not valid."),
    N_("The connection broke (%(why)s)."),
    N_("The host answered %(status)s instead of a feed."),
    N_("It redirects more than %(n)s times."),
    N_("It redirects to an address without https, which is not followed."),
    N_("It redirects to no address, which is not followed."),
    N_("Choose at least one list."),
    N_("These lists belong to different senders; write one broadcast for each sender."),
    N_("On %(channel)s these lists belong to different senders; write one for each."),
    N_("On %(channel)s the text in “%(language)s” has %(n)s characters; it may have %(most)s."),
    N_("The text for %(channel)s in “%(language)s” has %(n)s characters; it may have %(most)s."),
    N_("The text in “%(language)s” has %(n)s characters; it may have %(most)s."),
    N_("On %(channel)s the text has %(n)s characters; it may have %(most)s."),
    N_("The text for %(channel)s has %(n)s characters; it may have %(most)s."),
    N_("The sender %(name)s is paused: %(why)s."),
    N_("Nobody on these lists can be reached now."),
    N_(
        "%(channel)s is for small lists: a broadcast may go to %(most)s people there, and this one would go to %(n)s. "
        "Choose fewer lists, or a part of them."
    ),
    N_(
        "%(channel)s takes at most %(n)s a day from %(sender)s; sent or planned so far: %(used)s (%(titles)s). "
        "The next may go from %(next)s on."
    ),
    N_(
        "%(channel)s takes at most %(n)s a month from %(sender)s; sent or planned so far: %(used)s (%(titles)s). "
        "The next may go from %(next)s on."
    ),
    N_(
        "%(channel)s lets a person have at most %(n)s a day from %(sender)s; sent or planned so far: %(used)s "
        "(%(titles)s). The next may go from %(next)s on."
    ),
    N_(
        "%(channel)s lets a person have at most %(n)s a month from %(sender)s; sent or planned so far: %(used)s "
        "(%(titles)s). The next may go from %(next)s on."
    ),
    N_(
        "On %(channel)s one broadcast reaches %(most)s people, and these lists have %(n)s there. "
        "Choose fewer lists."
    ),
    N_(
        "On %(channel)s one text goes to all: write the same words there for every language, or leave it out."
    ),
    N_("On %(channel)s one text goes to all: take the placeholders out, or write other words for it."),
    N_(
        "On %(channel)s %(full)s of %(n)s people are left out: the platform lets them have no more broadcasts "
        "before %(day)s."
    ),
    N_(
        "%(channel)s: %(left)s messages are left this month for %(sender)s, and this broadcast needs "
        "%(needs)s. Then it pauses on all its channels, and at least %(wait)s people wait until somebody lets"
        " it go on, which works from %(day)s (%(zone)s)."
    ),
    N_(
        "%(channel)s: %(left)s messages are left this month for %(sender)s, and this broadcast needs "
        "%(needs)s. Then it pauses on all its channels, and at least %(wait)s people do not get it: the next "
        "month begins on %(day)s (%(zone)s), when it is not fresh any more."
    ),
    N_(
        "%(channel)s: %(sender)s has %(left)s messages a month, and this broadcast needs %(needs)s. Then it "
        "pauses on all its channels, and at least %(wait)s people wait until somebody lets it go on, which "
        "works from %(day)s (%(zone)s)."
    ),
    N_(
        "%(channel)s: %(sender)s has %(left)s messages a month, and this broadcast needs %(needs)s. Then it "
        "pauses on all its channels, and at least %(wait)s people do not get it: the next month begins on "
        "%(day)s (%(zone)s), when it is not fresh any more."
    ),
    N_(
        "%(channel)s: %(sender)s may begin to talk with %(most)s people in 24 hours, %(used)s are used up, "
        "and this broadcast needs %(needs)s. Then it pauses on all its channels, and at least %(wait)s people"
        " wait until somebody lets it go on."
    ),
    N_("%(channel)s: nobody knows how much %(sender)s may still send: its platform has not told."),
    N_(
        "%(channel)s: its platform told last at %(at)s how much %(sender)s may still send; it may be less by "
        "now."
    ),
    N_(
        "%(list)s promised at most %(n)s messages a day, and this would be one more. "
        "Choose another time, or give a reason for going over the promise."
    ),
    N_("Carriers filter public link shorteners. Use the full link."),
    N_("A number is no way to leave. Write: Reply STOP to leave."),
    N_("%(text)s: Carriers filter public link shorteners. Use the full link."),
    N_("%(text)s: A number is no way to leave. Write: Reply STOP to leave."),
    N_("People may leave in any way they like. Do not call STOP the only one."),
    N_("Some people are in %(places)s, where each message says STOP. Add: Reply STOP to leave."),
    N_("Say in at most 300 characters why this list may be sent at any hour."),
    N_("This time is in the past. Choose a later one, or send now."),
    N_("That is outside the hours promised to subscribers (%(promises)s). %(advice)s"),
    N_(
        "That is outside the hours promised to subscribers (%(hours)s), on their own clocks. Choose another time."
    ),
    N_("This time is in the past everywhere. Choose a later one, or send now."),
    N_("A first wave has no hour of its own: send to all on their own clocks, or at one time."),
    N_("This broadcast is %(state)s; take it back to draft before you change it."),
    N_("This broadcast is %(state)s; only one that waits for its time can be moved."),
    N_("This broadcast is %(state)s, not paused."),
    N_("This broadcast is %(state)s; nothing of it can be sent again."),
    N_("Nobody is left to whom it would be worth trying again."),
    N_("Nobody got this broadcast, so there is nobody to correct it for."),
    N_("No channel of this broadcast can change a message that is on a phone already."),
    N_("No channel of this broadcast can take a message away that is on a phone already."),
    N_("A correction that changes messages where they stand carries no file. Take the file out."),
    N_("The message that this corrects is still being sent. Pause it or stop it first."),
    N_("Nobody who got the message that this corrects can be reached now."),
    N_(
        "This broadcast was corrected, so nothing more of it goes out. Write a new one for those who are left."
    ),
    N_("A correction is being written."),
    N_("There is no version %(n)s of this text."),
    N_("A saved text needs a name of 1 to %(most)s characters."),
    N_("There is a text “%(name)s” already. Choose another name."),
    N_("Somebody else changed this text in the meantime. Load it again, then make your change."),
    N_("Nothing of this broadcast waits for its first wave."),
    N_("A first wave would use up the quota of a platform that counts each sending; send to all at once."),
    N_("The first wave is 1 to %(most)s per cent of the people, not %(n)s."),
    N_(
        "Stopped by itself: the provider refused the text for %(n)s of %(all)s people. "
        "It will for the rest, too: look at the text, and at the template if it has one."
    ),
    N_(
        "Stopped by itself: %(n)s of %(all)s people could not be reached, %(share)s per cent; the limit is %(limit)s."
    ),
    N_(
        "Stopped by itself: %(n)s of %(all)s people have blocked us, %(share)s per cent; the limit is %(limit)s."
    ),
    N_(
        "Stopped by itself: %(n)s of %(all)s people have opted out, %(share)s per cent; the limit is %(limit)s."
    ),
    N_("This broadcast is %(state)s; it cannot become %(other)s. From here it can become: %(can)s."),
    N_("Somebody else saved this draft in the meantime. Load it again, then make your change."),
    N_("There is no broadcast %(id)s."),
    N_("There is no open list %(id)s."),
    N_("At character %(place)s: %(problem)s"),
    N_("On %(day)s there is no %(hour)s in %(zone)s: the clock is put forward. Choose %(after)s."),
    N_("There is no time zone %(name)s. Write it like Europe/Berlin."),
    N_("A list needs a name of 1 to 100 characters, such as “Morning news”."),
    N_("Say in 1 to 300 characters what people get; it is shown before they agree. %(example)s"),
    N_("“%(name)s” is no language that we can read commands in: %(languages)s."),
    N_("“%(word)s” cannot be a keyword: it needs 2 to 40 letters or digits. Example: NEWS"),
    N_("“%(word)s” means %(meaning)s to people who write in “%(language)s”. Choose another."),
    N_("“%(word)s” means every list, as in “STOP ALL”. Choose another keyword."),
    N_("A word can mean %(meanings)s."),
    N_("“%(word)s” cannot be a command: it needs %(least)s to %(most)s letters or digits, not digits alone."),
    N_(
        "“%(word)s” means %(meaning)s already (%(rule)s). The words that come with Tidings keep their meaning and "
        "cannot be removed."
    ),
    N_("“%(word)s” is read as %(outcome)s already: %(why)s"),
    N_("“%(word)s” is a word of everyday talk. Choose one that nobody sends by chance."),
    N_("“%(word)s” is the keyword of a list. Choose another."),
    N_("“%(word)s” means %(meaning)s already, by your own words in “%(language)s”."),
    N_("“%(word)s” was added by somebody else just now."),
    N_("At most %(n)s messages a day is no promise; give 1 to %(most)s."),
    N_("From %(first)s until %(last)s is no time of day; %(rest)s"),
    N_("There is no time zone “%(name)s”. Example: Europe/Berlin"),
    N_("There is a list “%(name)s” already. Choose another name."),
    N_("There is a list “%(name)s” (archived) already. Choose another name."),
    N_("The keyword “%(word)s” belongs to the list “%(name)s”. Choose another."),
    N_("The keyword “%(word)s” belongs to the list “%(name)s” (archived). Choose another."),
    N_("There is no sender number %(id)s. Make one with: tidings senders add"),
    N_("There is no list number %(id)s."),
    N_("Write a name of 1 to 100 characters."),
    N_("There is already an account with this e-mail address."),
    N_("The present password is not right."),
    N_("This is the last admin. Make somebody else admin first."),
    N_("The desk speaks English (en) and German (de)."),
    N_("Write an e-mail address such as anna@example.com."),
    N_("An e-mail address has at most 254 characters."),
    N_("A password has at least 12 characters. Four random words make a good one."),
    N_("A password has at most 256 characters."),
    N_("This password repeats itself. Four random words make a good one."),
    N_("The e-mail address is no password."),
    N_("There is no such account."),
    N_("Write a full number, or its last four digits or more."),
    N_("There is no such person."),
    N_("There is no such text."),
    N_("Somebody else wrote version %(n)s in the meantime. Load it again, then make your change."),
    N_("Say in 1 to %(most)s characters what people get."),
    N_("These are the words of the newest version; nothing would change."),
    N_("Everybody on this list agreed to what it is for now; there is nobody to ask again."),
    N_("The question would be advertising, for the purpose says “%(word)s”. Write it plainly."),
    N_("%(who)s is not on this list."),
    N_("%(n)s people agreed to another purpose or sender. Confirm that they will be asked again."),
    N_("Notices are written in %(languages)s, not in “%(language)s”."),
    N_("The reason has %(n)s characters; it may have %(most)s."),
    N_("This person's data was erased already."),
    N_("Say who asked for it and how: card of 3 March, signed at the open day."),
    N_("The evidence has %(n)s characters; it may have %(most)s."),
    N_("The list “%(name)s” is archived; nobody can join it any more."),
    N_("People can be asked by SMS only, and “%(name)s” is sent over %(channel)s."),
    N_(
        "The question would be advertising, for the list's name says “%(word)s”. "
        "Let people text the keyword instead."
    ),
    N_("%(who)s is suppressed: nothing may be sent to it."),
    N_("%(who)s cannot be reached or blocked us; the person must write to us first."),
    N_("%(who)s wrote something that may have meant STOP; decide on that first."),
    N_("%(who)s is on this list already."),
    N_("%(who)s was asked already, and the question is still open."),
    N_("%(who)s said STOP; only the person can come back, by texting START."),
    N_("The consent of %(who)s ran out unused; the person must text START."),
    N_("%(who)s was asked %(n)s times in %(days)s days; more would be a nuisance."),
)


def translated(error: Exception) -> str:
    """A refusal in the reader's language."""
    return said(str(error))


def said(sentence: str) -> str:
    """The sentence in the reader's language; one that is not known stays as it is."""
    for words, expression in _EXPRESSIONS:
        if found := expression.fullmatch(sentence):
            return _(words, **found.groupdict())
    return sentence


def is_known(sentence: str) -> bool:
    """Whether a sentence has a pattern."""
    return any(expression.fullmatch(sentence) for _words, expression in _EXPRESSIONS)


def _expression(pattern: str) -> re.Pattern[str]:
    escaped = re.escape(pattern)
    return re.compile(re.sub(r"%\\\((\w+)\\\)s", r"(?P<\1>.*?)", escaped), re.DOTALL)


# Those of rows come first: a report may have a million of them.
_WORDS: Final = {
    **{
        pattern: pattern
        for pattern in (
            *import_refusals.ROWS,
            *import_refusals.SAME,
            *PATTERNS,
            *list_refusals.PATTERNS,
            *health_words.SENTENCES,
        )
    },
    **import_refusals.RETOLD,
}
_EXPRESSIONS: Final = tuple((words, _expression(pattern)) for pattern, words in _WORDS.items())
