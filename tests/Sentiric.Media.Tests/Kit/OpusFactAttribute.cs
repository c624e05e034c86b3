namespace Sentiric.Media.Tests;

/// <summary>A test with the system's libopus; skipped, with the reason, where there is none.</summary>
public sealed class OpusFactAttribute : FactAttribute
{
    public OpusFactAttribute()
    {
        if (!OpusLibrary.IsPresent) Skip = Missing;
    }

    internal static string Missing => $"libopus is not installed (Debian: {OpusLibrary.Package}); './sentiric test' gets it where it may";
}
