using Sentiric.Benchmarks;
using Sentiric.Benchmarks.Kit;
using Sentiric.Benchmarks.Media;

// The media benchmarks start this program a second time as the phones' side, so that its work is not counted as ours.
if (args is [RtpLoad.Switch, .. var load]) return RtpLoad.Run(load);

if (BenchOptions.Parse(args, out var complaint) is not { } options)
{
    Console.Error.WriteLine(complaint);
    return 2;
}

return await BenchRunner.RunAsync(AllBenchmarks.List, options);
