"""Accuracy of an exported adapter by transformers and PEFT alone, one example at a time.

python plain_peft.py CHECKOUT ADAPTER prints the share of the test examples answered exactly.
"""

import json
import sys
from pathlib import Path

import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoTokenizer

root, folder = Path(sys.argv[1]), Path(sys.argv[2])
results = root / "results/miniature"
base = json.loads((results / "base.json").read_text())
task = json.loads((folder / "merge.json").read_text())["run"]["task"]
path = Path(base["path"]) if Path(base["path"]).is_absolute() else root / base["path"]
tokenizer = AutoTokenizer.from_pretrained(path)
model = AutoModelForCausalLM.from_pretrained(path, dtype=torch.float32)
model = PeftModel.from_pretrained(model, str(folder)).eval()
lines = (results / "tasks" / task / "test.jsonl").read_text().splitlines()
hits = 0
for line in lines:
    example = json.loads(line)
    chat = [
        {"role": "system", "content": example["instruction"]},
        {"role": "user", "content": example["input"]},
    ]
    text = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
    ids = tokenizer(text, add_special_tokens=False, return_tensors="pt")["input_ids"]
    with torch.no_grad():
        out = model.generate(input_ids=ids, max_new_tokens=8, do_sample=False)
    answer = tokenizer.decode(out[0, ids.shape[1] :], skip_special_tokens=True)
    hits += answer.replace(" ", "").lower() == example["target"].replace(" ", "").lower()
print(json.dumps(hits / len(lines)))
