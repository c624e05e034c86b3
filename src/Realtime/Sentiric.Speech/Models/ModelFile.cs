using System.Security.Cryptography;

namespace Sentiric.Speech;

/// <summary>Checks of a model file before an engine sees it: native loaders end the process on some broken files.</summary>
public static class ModelFile
{
    /// <summary>
    /// Throws <see cref="SpeechEngineException"/> when the file is missing (<see cref="SpeechFault.ModelMissing"/>) or its SHA-256 is another
    /// one (<see cref="SpeechFault.ModelCorrupt"/>).
    /// </summary>
    public static void Verify(string path, string sha256)
    {
        if (!File.Exists(path))
        {
            throw new SpeechEngineException(
                SpeechFault.ModelMissing, $"The model {path} was not found.", "Fetch the model or correct its path in the speech settings.");
        }

        string actual = Sha256(path);
        if (!string.Equals(actual, sha256, StringComparison.OrdinalIgnoreCase))
        {
            throw new SpeechEngineException(
                SpeechFault.ModelCorrupt,
                $"The model {path} is not the one that the manifest names: its SHA-256 is {actual}, expected is {sha256}.",
                "Fetch the file again; if the new model is meant, correct the manifest.");
        }
    }

    /// <summary>SHA-256 of a file in lower-case hex.</summary>
    public static string Sha256(string path)
    {
        using var file = File.OpenRead(path);
        return Convert.ToHexStringLower(SHA256.HashData(file));
    }
}
