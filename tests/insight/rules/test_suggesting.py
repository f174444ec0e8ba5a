"""Categories learnt from closed tickets: measured on what was held back, never from what was told in confidence."""

from sqlmodel import select

from dispatch.insight.suggesting import proposing, training
from dispatch.insight.suggesting.features import features
from dispatch.insight.suggesting.model import Example, Model, train
from dispatch.insight.tables import Learnt
from tests.town import GARBAGE, SCRAPS, Town

SAID = {GARBAGE: ("楼下泡沫箱一大堆", "泡沫箱没人收"), SCRAPS: ("墙上贴了牛皮癣", "又贴满牛皮癣")}


def close(town: Town, category: str, text: str, **more: object) -> None:
    town.worker.reports(category, text=text, mode="remind", **more)


def suggested(town: Town, text: str) -> list[proposing.Suggestion]:
    with town.database.reading() as session:
        return proposing.suggest(session, town.world.refresh(session), text, at=town.now)


def test_words_that_no_name_holds_are_learnt_from_closed_tickets(town: Town, monkeypatch: object) -> None:
    monkeypatch.setattr(training, "LEAST_EXAMPLES", 20)  # type: ignore[attr-defined]
    assert GARBAGE not in [one.code for one in suggested(town, "泡沫箱")][:1]
    for _ in range(6):
        for category, texts in SAID.items():
            for text in texts:
                close(town, category, text)
    town.worker.reports(GARBAGE, text="还没办完的不算")
    town.later(minutes=1)
    learnt = training.train_nightly(town.database, town.world, town.now)
    assert learnt is not None
    assert learnt.examples == 24
    assert learnt.evaluation == {
        "held_out": 3, "trained_on": 21, "top1": 1.0, "top3": 1.0, "categories": learnt.evaluation["categories"],
    }  # fmt: skip
    first = suggested(town, "门口好多泡沫箱")[0]
    assert (first.code, first.why) == (GARBAGE, "依据本市已办结的工单")
    assert suggested(town, "牛皮癣")[0].code == SCRAPS


def test_a_city_with_few_closed_tickets_keeps_the_tree(town: Town) -> None:
    close(town, GARBAGE, "泡沫箱")
    assert training.train_nightly(town.database, town.world, town.later(minutes=1).now) is None
    with town.database.reading() as session:
        assert session.exec(select(Learnt)).all() == []


def test_a_stored_model_answers_as_the_trained_one() -> None:
    model = train([Example(features(text), code) for code, texts in SAID.items() for text in texts], 0.5)
    kept = Model.from_bytes(model.to_bytes())
    assert kept.best(features("泡沫箱")) == model.best(features("泡沫箱"))
    assert sum(likely for _, likely in kept.best(features("泡沫箱"))) > 0.99
