import { effect } from '@preact/signals';
import { render } from 'preact';
import { clusterSentence } from '../../telemetry/status-sentence.ts';
import { App } from './app.tsx';
import { allNodes, cluster, cut, openNode } from './model.ts';
import { openStream } from './stream.ts';
// Later sheets refine earlier ones.
import './styles/base.css';
import './styles/frame.css';
import './styles/tiles.css';
import './styles/panels.css';
import './styles/screens.css';

const readAddress = () => {
  openNode.value = location.hash.startsWith('#/') ? location.hash.slice(2) : undefined;
};
addEventListener('hashchange', readAddress);
readAddress();

// A tab in the background tells what happens, too.
effect(() => {
  const { pipeline } = cluster.value ?? {};
  if (!pipeline) return;
  const nodes = allNodes().map(({ status }) => status);
  document.title = `${cut.value ? 'No answer' : clusterSentence({ nodes, pipeline }).replace(/\.$/, '')} – Ericht`;
});

const root = document.getElementById('app');
if (root) render(<App />, root);
openStream();
