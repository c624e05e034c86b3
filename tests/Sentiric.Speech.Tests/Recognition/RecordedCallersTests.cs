using Sentiric.Speech.Tests.Kit;

namespace Sentiric.Speech.Tests.Recognition;

/// <summary>Recordings kept with the tests (data/data.tsv): voices that were not in the training, over a telephone line.</summary>
[Needs(Need.Runtime | Need.CtcModel)]
public class RecordedCallersTests
{
    private static readonly string Folder = Path.Combine(SpeechFiles.Root, "tests", "Sentiric.Speech.Tests", "data");

    [SpeechFact]
    public async Task The_recorded_callers_are_understood()
    {
        var callers = File.ReadLines(Path.Combine(Folder, "data.tsv")).Select(line => line.Split('\t')).ToList();
        Assert.NotEmpty(callers);
        await using var session = await Engines.Ctc.StartAsync(
            new RecognitionOptions { Phrases = [.. callers.Select(caller => caller[1])] }, CancellationToken.None);
        foreach (string[] caller in callers)
        {
            await Engines.WriteFramesAsync(session, WavFile.Read(Path.Combine(Folder, caller[0])).Samples);
            var result = await session.EndUtteranceAsync(CancellationToken.None);
            Assert.Equal(caller[1], result.Text);
        }
    }
}
