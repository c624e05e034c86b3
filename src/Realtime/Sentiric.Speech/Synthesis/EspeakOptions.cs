namespace Sentiric.Speech;

/// <summary>Where espeak-ng is and how much of it may run.</summary>
public sealed record EspeakOptions
{
    /// <summary>The program: a path, or a name that is looked up in PATH.</summary>
    public string Program { get; init; } = "espeak-ng";

    /// <summary>LD_LIBRARY_PATH of the child, for an espeak-ng that was unpacked and not installed; null leaves it as it is.</summary>
    public string? LibraryPath { get; init; }

    /// <summary>ESPEAK_DATA_PATH of the child (the folder that holds espeak-ng-data); null leaves it as it is.</summary>
    public string? DataPath { get; init; }

    /// <summary>Children at one time; a request over it waits for its turn. 1 to 64.</summary>
    public int MaxProcesses { get; init; } = 8;

    /// <summary>Active speech level of what comes out, in dBFS.</summary>
    public double LevelDb { get; init; } = -20;

    /// <summary>A child that runs longer is killed.</summary>
    public TimeSpan TimeLimit { get; init; } = TimeSpan.FromSeconds(30);
}
