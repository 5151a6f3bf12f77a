"""world/adapters/<shard>/: a part of the small world's public adapters, trained on its base."""

from job import Job, run_job


def main(job: Job) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from transformers.utils import logging

    from recycling.files import atomic_folder
    from recycling.miniature.public_adapters import recipes, train

    torch.set_num_threads(job.threads)
    logging.disable_progress_bar()
    model = AutoModelForCausalLM.from_pretrained(job.input.base, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(job.input.base)
    settings = job.params["settings"]
    shard = recipes()[settings["shard"] :: settings["shards"]]
    with atomic_folder(job.output.folder) as folder:
        for number, recipe in enumerate(shard, start=1):
            train(recipe, model, tokenizer, folder, settings["base_repo"])
            print(f"public adapters: {number} of {len(shard)}: {recipe.repo_id}", flush=True)


if __name__ == "__main__":
    run_job(main)
