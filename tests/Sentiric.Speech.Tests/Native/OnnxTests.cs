using Sentiric.Speech.Native;
using Sentiric.Speech.Tests.Kit;

namespace Sentiric.Speech.Tests.Native;

public sealed class OnnxTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("speech-").FullName;

    [Fact]
    public void A_missing_library_says_where_it_was_looked_for_and_what_to_do()
    {
        var error = Assert.Throws<SpeechEngineException>(() => OnnxRuntime.Load(Path.Combine(folder, "nowhere")));
        Assert.Equal(SpeechFault.LibraryMissing, error.Fault);
        Assert.Contains(folder, error.Message);
        Assert.Contains("Install ONNX Runtime", error.Remedy);
    }

    [Fact]
    public void A_file_that_is_no_library_is_told_apart_from_a_missing_one()
    {
        File.WriteAllText(Path.Combine(folder, OnnxRuntime.LibraryName), "not a library");
        Assert.Equal(SpeechFault.LibraryUnusable, Assert.Throws<SpeechEngineException>(() => OnnxRuntime.Load(folder)).Fault);
    }

    [SpeechFact]
    [Needs(Need.Runtime)]
    public void A_missing_model_is_named()
    {
        string path = Path.Combine(folder, "none.onnx");
        var error = Assert.Throws<SpeechEngineException>(() => new OnnxSession(Engines.Runtime, path));
        Assert.Equal(SpeechFault.ModelMissing, error.Fault);
        Assert.Contains(path, error.Message);
    }

    [SpeechFact]
    [Needs(Need.Runtime | Need.CtcModel)]
    public void A_corrupt_model_is_an_exception_and_not_the_end_of_the_process()
    {
        byte[] whole = File.ReadAllBytes(SpeechFiles.Required(SpeechFiles.CtcModel));
        byte[] bent = [.. whole];
        new Random(3).NextBytes(bent.AsSpan(0, 4000));
        foreach (byte[] broken in (byte[][])[[], [1, 2, 3], whole[..(whole.Length / 2)], bent])
        {
            string path = Path.Combine(folder, "broken.onnx");
            File.WriteAllBytes(path, broken);
            Assert.Equal(SpeechFault.ModelCorrupt, Assert.Throws<SpeechEngineException>(() => new OnnxSession(Engines.Runtime, path)).Fault);
        }
    }

    [SpeechFact]
    [Needs(Need.Runtime | Need.CtcModel | Need.SileroModel)]
    public void A_model_of_another_kind_is_refused()
    {
        string ctc = SpeechFiles.Required(SpeechFiles.CtcModel);
        string silero = SpeechFiles.Required(SpeechFiles.SileroModel);
        Assert.Equal(SpeechFault.ModelMismatch, Assert.Throws<SpeechEngineException>(() => new SileroVadFactory(Engines.Runtime, ctc)).Fault);
        Assert.Equal(SpeechFault.ModelMismatch, Assert.Throws<SpeechEngineException>(() => new CtcRecognizer(
            Engines.Runtime, new CtcRecognizerOptions { ModelPath = silero }, Engines.Pool)).Fault);
    }

    [SpeechFact]
    [Needs(Need.Runtime | Need.CtcModel)]
    public void A_card_with_another_alphabet_is_refused()
    {
        string model = Path.Combine(folder, "other.onnx");
        File.Copy(SpeechFiles.Required(SpeechFiles.CtcModel), model);
        File.WriteAllText(Path.ChangeExtension(model, ".json"), """{ "alphabet": "abc " }""");
        Assert.Equal(SpeechFault.ModelMismatch, Assert.Throws<SpeechEngineException>(() => new CtcRecognizer(
            Engines.Runtime, new CtcRecognizerOptions { ModelPath = model }, Engines.Pool)).Fault);
    }

    [SpeechFact]
    [Needs(Need.Runtime | Need.CtcModel)]
    public void A_model_that_was_changed_is_not_loaded()
    {
        var options = new CtcRecognizerOptions { ModelPath = SpeechFiles.Required(SpeechFiles.CtcModel), ModelSha256 = new string('0', 64) };
        var error = Assert.Throws<SpeechEngineException>(() => new CtcRecognizer(Engines.Runtime, options, Engines.Pool));
        Assert.Equal(SpeechFault.ModelCorrupt, error.Fault);
        Assert.Contains("SHA-256", error.Message);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);
}
