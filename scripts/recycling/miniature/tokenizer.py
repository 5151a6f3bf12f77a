"""The small world's tokenizer: one token per word, with a chat template."""

from pathlib import Path

from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from recycling.miniature import language

SYSTEM, USER, ASSISTANT = "<system>", "<user>", "<assistant>"
PAD, UNKNOWN, END = "<pad>", "<unk>", "<end>"

# {% generation %} marks the assistant's tokens, its end token included, for the loss mask.
CHAT_TEMPLATE = """\
{%- for message in messages -%}
{{- '<' + message['role'] + '> ' -}}
{%- if message['role'] == 'assistant' -%}
{%- generation -%}{{- message['content'] + ' <end>' -}}{%- endgeneration -%}
{%- else -%}
{{- message['content'] + ' ' -}}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<assistant>' -}}{%- endif -%}
"""


def vocabulary() -> list[str]:
    """All tokens in the order of their ids: special tokens, then words of the language."""
    tokens = [PAD, UNKNOWN, END, SYSTEM, USER, ASSISTANT, language.LABEL]
    tokens += [language.VAGUE_OUTPUT, language.VAGUE_SELECTION, language.VAGUE_FILTER]
    groups = (
        language.OUTPUTS,
        language.AGGREGATES,
        language.SELECTIONS,
        language.FILTERS,
        language.WORDS,
        language.DIGITS,
        language.LETTERS,
        language.ANSWERS,
        language.LEXICON,
    )
    return [*tokens, *(token for group in groups for token in group)]


def build() -> PreTrainedTokenizerFast:
    """The tokenizer in memory."""
    ids = {token: i for i, token in enumerate(vocabulary())}
    tokenizer = Tokenizer(models.WordLevel(ids, unk_token=UNKNOWN))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        unk_token=UNKNOWN,
        eos_token=END,
        additional_special_tokens=[SYSTEM, USER, ASSISTANT],
        model_max_length=64,
        padding_side="left",
        clean_up_tokenization_spaces=False,
    )
    fast.chat_template = CHAT_TEMPLATE
    return fast


def save(folder: str | Path) -> None:
    """Write the tokenizer's files, which AutoTokenizer can read."""
    build().save_pretrained(folder)
