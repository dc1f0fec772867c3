"""Short posts written by hand to choose moderation's recipe by: claims, curses, insults, quarrels and their opposites.

Training has other wordings, and no test list has these.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

ENDINGS = ("", ".", "!")


class Post(NamedTuple):
    """``kind``: what it tests; ``flagged``: whether any label should be."""

    kind: str
    text: str
    flagged: bool


_CALM = {
    "claim": """
        Wheelchair users ought to reach every platform in this town
        Deaf kids deserve teachers who sign
        Autistic adults need quiet rooms at work
        Disabled people should have a seat on the board
        Paraplegic fans need a proper view of the pitch
        Blind customers deserve a website they can use
        disabled students need better lifts
        Gay couples deserve the same tax rules
        Muslims need prayer rooms at the airport
        Refugees deserve a warm bed and a lawyer
        Trans kids deserve to be safe
        trans women need doctors who care
        Black mothers deserve better care
        Women deserve equal pay for the same job
        Homeless people need homes, not fines
        Dyslexic pupils need more time in exams
        Immigrants deserve a fair hearing
        Old people need benches and toilets in the park
        Lesbians deserve to adopt like anybody else
        Jews must be able to walk to the synagogue without fear
        Sikh soldiers should be allowed to wear a turban
        Queer teens need somebody to talk to
        rights for farm workers from Mexico
        Deaf people want captions on every film
    """,
    "curse": """
        crap crap crap
        damn it all
        shit, shit, shit
        well fuck me
        fuck my life
        holy shit
        oh bloody hell
        what the fuck is going on
        fucking hell that was close
        shit broke
        rather a crap day
        same old shit
        exams are a bitch
        this is some bullshit
        fuck it, I'm going to bed
        bloody typical
        fuck that old printer
        what an unholy fucking mess
        shit weather again
        the whole plan went to shit
    """,
    "told by those insulted": """
        My flatmate called me a lazy pig and I left the room
        A stranger shouted that I was trash and my kids heard it
        He called her a stupid cow, so she blocked him
        My coach used to call us losers and I believed him
        The boy next door said I was a fat cow and I ran home
        My own brother called me a useless fool and I wept
    """,
    "counter-speech": """
        Anyone who wants to burn down a mosque should be locked up
        People who say that Jews are greedy are repeating a stupid myth
        Writing "trans people are freaks" is bullying, please remove it
        No, refugees are not parasites, and I am tired of hearing it
        Whoever beats up immigrants is a coward
        It is shameful to call disabled people a burden
        Calling women stupid makes you look small
        They chanted that black people should leave, and we shouted them down
        The man who wanted to shoot Muslims was sentenced today
        Who wants to drown refugees belongs behind bars
        Enough with the myth that gay men are dangerous
        It is disgusting to post "Jews are rats", remove that
    """,
    "no threat": """
        you will regret this, the film is awful
        I have a knife, who brought the cake
        I know where you live, I will bring the keys tonight
        hope you get better and come home
        I am coming for you at noon, bring a raincoat
        I hope you get the job and a raise
    """,
    "debate": """
        @user @user gun control will not pass before the election
        I don't trust this senator, his numbers are wrong
        worst season so far, the writers should rest
        that was never a penalty, shame
        conservatives won the vote in our district
        she was wrong about the budget and should resign
        @user he is the best coach we ever had
        liberals want a new vote on the tax bill
    """,
}
_FLAGGED = {
    "claim refused": """
        Disabled people deserve nothing from us
        Trans people are owed no rights whatsoever
        Muslims need to be kept out of our schools
        Refugees deserve to freeze at the border
        Blind people should not be let near a ballot box, useless lot
        Why should gays have the right to marry, they are sick
        Immigrants deserve a kick and a one-way ticket
        no rights for women, they are too stupid
        Black people need to know their place
        Jews deserve every bit of hatred they get
        Deaf people are a burden and deserve no help
    """,
    "contempt": """
        Muslims, I hate the lot of you
        just looking at gay people makes me sick
        immigrants are filth
        women are too dumb to vote
        all trans people are freaks
        disabled people are a waste of space
    """,
    "insult": """
        fuck you very much
        you piece of shit
        shut your bloody mouth
        what a fucking idiot you are
        you are full of shit
        go eat a bag of shit
        go and fuck yourself
        fuck off you clown
        you daft worthless git
        nobody likes you, pig
    """,
    "threat": """
        you will be sorry, I own a gun
        you'll pay for that, my knife is sharp
        I know your street and I will be there with a bat
        hope you get run over
        I hope a tumour eats you
        die slowly, you and your dog
        I am on my way to your house with a hammer
        hope you drown
        I know where you sleep and I am coming to get you tonight
        hope you catch the plague and die
    """,
    "quarrel": """
        @user she is a lying hag and so are her voters
        the senator is a spineless crook
        you lot are brain-dead sheep
        this show was made by morons for morons
        the referee was a blind idiot
        only a moron votes for that clown
        liberals are spineless crybabies
        MAGA idiots strike again
    """,
}


def posts() -> Iterator[Post]:
    """Yield every post with every final mark of ``ENDINGS``."""
    for flagged, kinds in ((False, _CALM), (True, _FLAGGED)):
        for kind, lines in kinds.items():
            for text in lines.strip().splitlines():
                yield from (Post(kind, text.strip() + end, flagged) for end in ENDINGS)
