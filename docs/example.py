"""The whole of catgan from Python: photos in `raw`, a report and a grid of samples at the end."""

from catgan import TrainConfig, compare_runs, curate_photos, sample_run, train_gan, write_report

if __name__ == "__main__":  # curate starts processes, and each of them reads this file
    print(curate_photos("raw", "curated"))
    config = TrainConfig(epochs=200)
    for name in ("full-body", "face-crop"):
        print(train_gan(f"curated/{name}", f"runs/{name}", config))
    write_report(compare_runs(["full-body", "face-crop"]), "report.html")
    print(sample_run("face-crop"))
