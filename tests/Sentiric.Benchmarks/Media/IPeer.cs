namespace Sentiric.Benchmarks.Media;

/// <summary>Another program that does with packets what a leg does: the yardstick of the same run.</summary>
internal interface IPeer : IDisposable
{
    /// <summary>Where each phone's packets go.</summary>
    IReadOnlyList<int> Ports { get; }

    /// <summary>Processor time so far.</summary>
    TimeSpan Cpu { get; }
}
