using Xunit;

namespace Sentiric.Testing.Platform;

/// <summary>A test with a whole platform. Skipped, with the reason, where the speech engines, a peer program or a server is missing.</summary>
/// <param name="peers">Programs that the test runs: sipp, baresip, tshark, chromium.</param>
public sealed class PlatformFactAttribute : FactAttribute
{
    public PlatformFactAttribute(params string[] peers)
    {
        if (SpeechFiles.Missing is { } missing)
        {
            Skip = missing;
        }
        else if (peers.FirstOrDefault(p => Programs.Find(p) is null) is { } peer)
        {
            Skip = $"{peer} is not installed; './sentiric test' gets it where it may";
        }
    }

    /// <summary>Environment variables that name servers which the test needs.</summary>
    public string[] Servers
    {
        get;
        set
        {
            field = value;
            Skip ??= value.FirstOrDefault(v => string.IsNullOrEmpty(Environment.GetEnvironmentVariable(v))) is { } absent
                ? $"{absent} is not set; './sentiric test' (without --fast) starts that server and sets it"
                : null;
        }
    } = [];
}
