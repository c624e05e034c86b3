using System.Text.Json;
using System.Text.Json.Serialization;

namespace Sentiric.Speech;

/// <summary>What a model is for.</summary>
public enum ModelKind
{
    Stt,
    Tts,
    Vad,
    Turn,
    Denoise,
}

/// <summary>One file of a model; the path is relative to the manifest's folder and never leaves it.</summary>
public sealed record ModelManifestFile
{
    public required string Path { get; init; }

    public required string Sha256 { get; init; }

    public long? Bytes { get; init; }
}

/// <summary>One model: what it does, for which languages, under which licence (SPDX) and of which files it consists.</summary>
public sealed record ModelEntry
{
    public required string Id { get; init; }

    public required ModelKind Kind { get; init; }

    public required string Engine { get; init; }

    public IReadOnlyList<string> Languages { get; init; } = [];

    public int? SampleRate { get; init; }

    public string License { get; init; } = "";

    public required IReadOnlyList<ModelManifestFile> Files { get; init; }
}

/// <summary>The list of models of an installation (manifest.json). Engines load only files that it vouches for.</summary>
public sealed record ModelManifest
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
    };

    public required IReadOnlyList<ModelEntry> Models { get; init; }

    /// <summary>The folder that paths of files are relative to.</summary>
    [JsonIgnore]
    public string Folder { get; init; } = "";

    /// <summary>Reads a manifest. Throws <see cref="SpeechEngineException"/> when it is missing, not JSON, or names a path outside its folder.</summary>
    public static ModelManifest Read(string path)
    {
        try
        {
            var manifest = JsonSerializer.Deserialize<ModelManifest>(File.ReadAllText(path), Json) ?? throw new JsonException("The file is empty.");
            string folder = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path)) ?? "/";
            return Inside(manifest with { Folder = folder });
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new SpeechEngineException(
                SpeechFault.ModelMissing, $"The model manifest {path} was not found.", "Restore it from the repository or the installation.", missing);
        }
        catch (Exception wrong) when (wrong is JsonException or InvalidDataException)
        {
            throw new SpeechEngineException(
                SpeechFault.ModelCorrupt, $"The model manifest {path} cannot be read: {wrong.Message}", "Correct the file.", wrong);
        }
    }

    /// <summary>The model with that id, all its files verified. Throws <see cref="SpeechEngineException"/> otherwise.</summary>
    public ModelEntry Verified(string id)
    {
        var entry = Models.FirstOrDefault(model => model.Id == id) ?? throw new SpeechEngineException(
            SpeechFault.ModelMissing, $"The manifest has no model \"{id}\".", $"It has: {string.Join(", ", Models.Select(model => model.Id))}.");
        foreach (var file in entry.Files)
        {
            ModelFile.Verify(PathOf(file), file.Sha256);
        }

        return entry;
    }

    public string PathOf(ModelManifestFile file) => System.IO.Path.Combine(Folder, file.Path);

    private static ModelManifest Inside(ModelManifest manifest)
    {
        foreach (var file in manifest.Models.SelectMany(model => model.Files))
        {
            string full = System.IO.Path.GetFullPath(manifest.PathOf(file));
            if (!full.StartsWith(manifest.Folder + System.IO.Path.DirectorySeparatorChar, StringComparison.Ordinal))
            {
                throw new InvalidDataException($"the path \"{file.Path}\" leads out of its folder");
            }
        }

        return manifest;
    }
}
