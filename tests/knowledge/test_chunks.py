from hypothesis import given
from hypothesis import strategies as st

from knowledge.chunks import MAX_CHARS, MAX_ROW_CHARS, Chunk, cut
from knowledge.readers.document import Block, Document, Metadata, Section


def _document(*sections: Section) -> Document:
    return Document("Listino", Metadata(), sections)


def test_small_blocks_of_a_section_share_a_chunk_and_sections_do_not() -> None:
    first = Section((), (Block("text", "Primo."), Block("item", "- secondo")))
    second = Section(("Massaggi", "Coppia"), (Block("text", "Terzo."),))

    assert cut(_document(first, second)) == [
        Chunk(0, "Listino", "Primo.\n- secondo", first),
        Chunk(1, "Listino > Massaggi > Coppia", "Terzo.", second),
    ]


def test_rows_stay_apart_from_prose_and_whole() -> None:
    row = "Servizio: " + "x" * 300
    huge = "Descrizione: " + "y" * (2 * MAX_CHARS)

    contents = [
        chunk.content
        for chunk in cut(
            _document(
                Section(
                    (), (Block("text", "Prezzi:"), Block("row", row), Block("row", row), Block("row", huge))
                )
            )
        )
    ]

    assert contents == ["Prezzi:", row, row, huge]


def test_a_long_paragraph_is_cut_between_sentences() -> None:
    sentence = "Questa frase ha una certa lunghezza e finisce qui."
    text = " ".join([sentence] * 60)

    contents = [chunk.content for chunk in cut(_document(Section((), (Block("text", text),))))]

    assert len(contents) == 4
    assert all(line == sentence for content in contents for line in content.split("\n"))


@given(
    st.lists(
        st.builds(
            Block,
            st.sampled_from(["text", "item", "row"]),
            st.text(st.sampled_from("ab .!\n"), min_size=1, max_size=3 * MAX_CHARS).filter(str.strip),
        ),
        max_size=8,
    )
)
def test_nothing_is_lost_doubled_or_too_long(blocks: list[Block]) -> None:
    chunks = cut(_document(Section(("A",), tuple(blocks))))

    assert [chunk.ordinal for chunk in chunks] == list(range(len(chunks)))
    written = "".join("".join(chunk.content.split()) for chunk in chunks)
    assert written == "".join("".join(block.text.split()) for block in blocks)
    rows = {block.text for block in blocks if block.kind == "row"}
    for chunk in chunks:
        assert len(chunk.content) <= MAX_CHARS or chunk.content in rows
    for row in rows:
        assert any(row in chunk.content for chunk in chunks)
    assert MAX_ROW_CHARS < MAX_CHARS
