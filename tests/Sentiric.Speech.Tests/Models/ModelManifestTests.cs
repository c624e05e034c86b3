namespace Sentiric.Speech.Tests.Models;

public sealed class ModelManifestTests : IDisposable
{
    // SHA-256 of "hello"
    private const string HelloSha = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    private readonly string folder = Directory.CreateTempSubdirectory("manifest-").FullName;

    [Fact]
    public void A_model_whose_files_match_is_vouched_for()
    {
        File.WriteAllText(Path.Combine(folder, "a.onnx"), "hello");
        var entry = ModelManifest.Read(Manifest("a.onnx", HelloSha)).Verified("tr-small");
        Assert.Equal((ModelKind.Stt, "ctc", 8000, "Apache-2.0"), (entry.Kind, entry.Engine, entry.SampleRate, entry.License));
        Assert.Equal(["tr"], entry.Languages);
    }

    [Fact]
    public void A_file_that_was_changed_is_refused()
    {
        File.WriteAllText(Path.Combine(folder, "a.onnx"), "hello!");
        var error = Assert.Throws<SpeechEngineException>(() => ModelManifest.Read(Manifest("a.onnx", HelloSha)).Verified("tr-small"));
        Assert.Equal(SpeechFault.ModelCorrupt, error.Fault);
    }

    [Fact]
    public void A_missing_file_and_an_unknown_model_are_told()
    {
        var manifest = ModelManifest.Read(Manifest("a.onnx", HelloSha));
        Assert.Equal(SpeechFault.ModelMissing, Assert.Throws<SpeechEngineException>(() => manifest.Verified("tr-small")).Fault);
        Assert.Contains("tr-small", Assert.Throws<SpeechEngineException>(() => manifest.Verified("no-such")).Message);
    }

    [Theory]
    [InlineData("../secret.onnx")]
    [InlineData("/etc/passwd")]
    public void A_path_out_of_the_folder_is_refused(string path) =>
        Assert.Equal(SpeechFault.ModelCorrupt, Assert.Throws<SpeechEngineException>(() => ModelManifest.Read(Manifest(path, HelloSha))).Fault);

    [Theory]
    [InlineData("not json")]
    [InlineData("{}")]
    [InlineData("null")]
    public void A_broken_manifest_is_refused(string content)
    {
        string path = Path.Combine(folder, "manifest.json");
        File.WriteAllText(path, content);
        Assert.Equal(SpeechFault.ModelCorrupt, Assert.Throws<SpeechEngineException>(() => ModelManifest.Read(path)).Fault);
    }

    [Fact]
    public void A_missing_manifest_is_told() =>
        Assert.Equal(SpeechFault.ModelMissing, Assert.Throws<SpeechEngineException>(() => ModelManifest.Read(Path.Combine(folder, "none.json"))).Fault);

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private string Manifest(string file, string sha)
    {
        string path = Path.Combine(folder, "manifest.json");
        File.WriteAllText(path, $$"""
            { "models": [ { "id": "tr-small", "kind": "stt", "engine": "ctc", "languages": ["tr"], "sample_rate": 8000, "license": "Apache-2.0",
              "files": [ { "path": "{{file}}", "sha256": "{{sha}}" } ] } ] }
            """);
        return path;
    }
}
