"""The words that fill the gaps of ``training.harm``, written for this project."""

from __future__ import annotations

from training.templates import BAD, DAYS, INSULTS, JOBS, THINGS
from training.word_lists import GIVEN, PLACES, SURNAMES, listed

GROUPS = listed("""
    gay, lesbian, bisexual, transgender, trans, queer, nonbinary, intersex, Muslim, Jewish, Christian, Catholic, Hindu,
    Sikh, Buddhist, atheist, Mormon, black, white, brown, Asian, Latino, Mexican, African, Chinese, Indian, Pakistani,
    Arab, Turkish, Kurdish, Polish, Romanian, Russian, Roma, Irish, Nigerian, Somali, Syrian, Afghan, Vietnamese,
    Brazilian, immigrant, refugee, disabled, deaf, blind, autistic, old, female, indigenous, Aboriginal, Native American
""")
GROUP_PLURALS = listed("""
    gays, gay people, gay men, lesbians, bisexuals, transgender people, trans women, trans men, trans people, queer
    people, Muslims, Jews, Christians, Catholics, Hindus, Sikhs, Buddhists, atheists, Mormons, black people, black men,
    black women, blacks, white people, whites, brown people, Asians, Latinos, Mexicans, Africans, the Chinese, Chinese
    people, Indians, Pakistanis, Arabs, Turks, Kurds, Poles, Romanians, Russians, Roma people, gypsies, the Irish,
    Nigerians, Somalis, Syrians, Afghans, Vietnamese people, immigrants, migrants, refugees, asylum seekers, foreigners,
    disabled people, people with disabilities, the disabled, wheelchair users, deaf people, blind people, autistic
    people, mentally ill people, old people, women, girls, feminists, single mothers, homeless people, poor people,
    Aboriginal people, Native Americans
""")
DISABLED = listed("""
    disabled people, people with disabilities, the disabled, wheelchair users, people in wheelchairs, deaf people, the
    deaf, blind people, the blind, autistic people, autistic children, deaf children, blind passengers, disabled
    students, disabled workers, disabled parents, partially sighted people, people with epilepsy, people with dementia,
    people who cannot walk, hard of hearing people, mentally ill people, people with Down's syndrome
""")
RECLAIMED = listed(
    "dyke, fag, faggot, queer, homo, crip, cripple, tranny, slut, fatty, freak, spaz, bitch, hag, nutter"
)
FAMILY = listed("mother, sister, brother, wife, husband, father, son, daughter, grandmother, kids, family, best friend")
WORSHIP = listed("mosques, synagogues, temples, churches, mosque, synagogue, temple, church, shelter, community centre")
SAD = listed("sad, lonely, empty, down, tired of everything, anxious, hopeless, hurt, numb, lost, depressed")
HEARTS = ["\N{HEAVY BLACK HEART}", "\N{SPARKLES}", "\N{SMILING FACE WITH HEART-SHAPED EYES}", "<3", "\N{RAINBOW}"]
MORE_INSULTS = listed("""
    halfwit, nitwit, simpleton, dimwit, buffoon, blockhead, twit, scumbag, lowlife, weasel, freak, good-for-nothing,
    airhead, dunce, parasite, nobody, pig, rat, donkey, troll, hypocrite, crook, bore, wimp, slob, swine, degenerate
""")
MORE_THINGS = listed("""
    wifi, homework, essay, exam, bridge, tram, invoice, budget, referee's call, charger, oven, sandwich, lamp, tent,
    kettle, playlist, article, meeting, dress, haircut, sermon, novel, map, fence, tyre, salad, recipe
""")
SLOTS: dict[str, list[str]] = {
    "group": GROUPS, "groups": GROUP_PLURALS, "disabled": DISABLED, "reclaimed": RECLAIMED, "fam": FAMILY,
    "worship": WORSHIP, "sad": SAD, "heart": HEARTS, "insult": [*INSULTS, *MORE_INSULTS],
    "thing": [*THINGS, *MORE_THINGS], "job": JOBS, "bad": BAD, "given": GIVEN, "surname": SURNAMES, "place": PLACES, "day": DAYS,
}  # fmt: skip

# Texts put before, after or beside a sentence. They do not change its label.
BEFORE = [
    "@user ", "@user @user ", "RT @user: ", "hey, ", "ok so ", "lol ", "honestly, ", "Listen, ", "Well, ", "{given}, ",
    "Hi {given}, ", "to be clear: ", "Btw, ", "Again: ", "omg ", "And ", "But ", "Today I say: ", "@{given} ",
]  # fmt: skip
AFTER = [
    " lol", "!!!", "...", " smh", " ok?", " tbh", " just saying", " #{place}", " \N{FACE WITH TEARS OF JOY}",
    " \N{POUTING FACE}", " \N{LOUDLY CRYING FACE}", " \N{FACE WITH ROLLING EYES}", " Regards, {given}", " bye", " haha",
    " https://t.co/{number}", " fr", " \N{SKULL}", "?!",
]  # fmt: skip
BESIDE = [
    "The bus was late again.", "See you {day}.", "I read your post.", "It rained all morning.", "We met at the {thing}.",
    "My {fam} saw it too.", "I just came home from work.", "The weather in {place} is mild.", "Anyway.",
    "So much for today.", "I wrote to the {job} about it.", "That was {day}.", "Please pass it on.", "Let me tell you.",
    "I have lived in {place} for {number} years.", "Thanks for reading.", "Have you seen the {thing}?",
    "This is about the meeting {day}.", "I thought about it for a long time.", "You can quote me on that.",
    "{given} told me yesterday.", "There is nothing more to say.", "The game starts at {number}.", "Think about that.",
    "I am writing to you from {place}.", "It was on the radio.", "We had soup and bread.", "Nobody answered the phone.",
]  # fmt: skip
