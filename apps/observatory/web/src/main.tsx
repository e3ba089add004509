import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { BrowserRouter } from 'react-router';
import { answerOtherTabs, takeKey } from './api/key.ts';
import { followShop } from './api/live.ts';
import { traineeId } from './api/trainee.ts';
import { App } from './app.tsx';
import './styles/shop.css';
import './styles/frame.css';
import './styles/requests.css';
import './styles/lanes.css';
import './styles/map.css';
import './styles/sea.css';
import './styles/faults.css';
import './styles/lives.css';
import './styles/sessions.css';
import './styles/labs.css';

// Before the router reads the address.
takeKey();
answerOtherTabs();
traineeId();
void followShop();

const root = document.getElementById('root');
if (!root) throw new Error('index.html has no #root');
createRoot(root).render(
  <StrictMode>
    <BrowserRouter>
      <App />
    </BrowserRouter>
  </StrictMode>,
);
