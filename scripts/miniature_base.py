"""world/base/: the small world's base model and tokenizer, pre-trained from scratch."""

from job import Job, run_job


def main(job: Job) -> None:
    import torch
    from transformers.utils import logging

    from recycling.files import atomic_folder
    from recycling.miniature.pretraining import Pretraining, pretrain, save

    torch.set_num_threads(job.threads)
    logging.disable_progress_bar()
    settings = dict(job.params["settings"])
    seed = settings.pop("seed", 0)
    pretraining = Pretraining(**settings)

    def progress(step: int, loss: float) -> None:
        print(f"pre-training: step {step} of {pretraining.steps}, loss {loss:.3f}", flush=True)

    model = pretrain(seed, pretraining, progress)
    with atomic_folder(job.output.folder) as folder:
        save(model, folder)


if __name__ == "__main__":
    run_job(main)
